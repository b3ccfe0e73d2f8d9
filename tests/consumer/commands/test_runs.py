from typing import Any
from uuid import uuid4

import pytest
from pydantic_core import from_json

from consumer.wire.decisions import Verdict
from persistence.begun import BegunKey, count_failure
from persistence.database import Database
from persistence.dead_letters.values import DeadLetter
from persistence.demands import Demand
from persistence.limits import set_limit
from persistence.records import DecisionRecord, Forward
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunPolicy, TaskRun
from rules.states import Completed, Failed, Running, State, StateDetails
from tests.consumer.commands.conftest import InDatabase, Invoke
from tests.consumer.explaining.records import NOON, decided, no_slot
from tests.persistence.records import enter, make_runs, record_letters


@pytest.fixture
def run() -> TaskRun:
    return TaskRun(id=uuid7(), name="load", tags=("db", "eu"), policy=RunPolicy(retries=2))


async def put(
    database: Database, run: TaskRun, *records: DecisionRecord, state: State | None = None
) -> None:
    """Put a run on record, in that state, with these decisions."""
    await make_runs(database, run)
    demands = [Demand(run_id=run.id, kind=run.kind)]
    demands += [Demand(request_id=each.request_id, attempt=each.attempt) for each in records]
    async with database.session(demands) as session:
        if state is not None:
            await enter(session, run, state)
        for each in records:
            session.record(each)


def shown(invoke: Invoke, run: TaskRun) -> list[str]:
    result = invoke("runs", "show", run.id)
    assert result.exit_code == 0, result.stderr
    return [line.rstrip() for line in result.stdout.splitlines()]


def rows(invoke: Invoke, run: TaskRun) -> list[dict[str, Any]]:
    result = invoke("runs", "show", run.id, "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = from_json(result.stdout)
    return found


def test_a_run_that_waits_for_a_slot_is_explained(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    holder = TaskRun(id=uuid7(), tags=("db",))
    delay = no_slot(run, at=utc_now())

    async def fill(database: Database) -> None:
        await put(database, holder, state=Running())
        await put(database, run, delay)
        await set_limit(database, "db", 1)

    in_database(fill)
    lines = shown(invoke, run)
    assert lines[0] == f"task run {run.id}"
    facts = {line[2:14].strip(): line[14:] for line in lines[1 : lines.index("")]}
    assert facts == {
        "name": "load",
        "state": "none yet",
        "version": "0",
        "run count": "0",
        "retries": "2, each after 0 s",
        "tags": "db, eu",
    }
    table = lines[lines.index("") + 1 : -2]
    assert table[0].split() == ["when", "(UTC)", "proposed", "decided"]
    assert table[1].split(maxsplit=3)[2:] == [
        "RUNNING",
        "delay, limit-reached, by SecureTaskConcurrencySlots",
    ]
    told = [line.strip() for line in table[2:]]
    assert told[0] == "All slots are taken."
    assert told[1].startswith("comes back by itself at ")
    assert told[2] == "request r, attempt 0"
    assert lines[-1].startswith(f"It waits for a slot of 'db' (limit 1, held by {holder.id}): ")


def test_the_requests_are_one_array_with_the_run_in_each_row(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    running = Running(timestamp=NOON)
    accepted = decided(run, Verdict.ACCEPT, attempt=1, state=running)
    in_database(lambda database: put(database, run, no_slot(run), accepted, state=running))
    first, second = rows(invoke, run)
    assert (first["decision"], first["standing"], first["retry_at"] is None) == (
        "delay",
        "came-back",
        False,
    )
    assert (second["decision"], second["state"]["id"]) == ("accept", str(running.id))
    assert first["current_run"] == second["current_run"]
    assert second["current_run"]["state_type"] == "RUNNING"
    assert second["current_run"]["name"] == "load"


def test_of_many_delays_alike_the_first_and_the_last_are_shown(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    delays = [no_slot(run, attempt=attempt) for attempt in range(10)]
    in_database(lambda database: put(database, run, *delays))
    lines = shown(invoke, run)
    assert [line.split()[-1] for line in lines if "request r" in line] == ["0", "9"]
    assert any("8 more like these" in line for line in lines)
    assert len(rows(invoke, run)) == 10


def test_what_is_not_decided_and_what_was_left_to_its_sender_are_shown(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    returned = no_slot(run, forward=Forward.NONE)
    nothing = decided(run, Verdict.ACCEPT, request_id="ask", proposed_type=None)
    key = BegunKey(
        request_id="failing", attempt=0, run_id=run.id, body_sha256=b"", user_id="producer"
    )

    async def fill(database: Database) -> None:
        await put(database, run, nothing, returned)
        await count_failure(database, key, utc_now())

    in_database(fill)
    text = "\n".join(shown(invoke, run))
    assert "nothing   accept" in text
    assert "left to its sender, to propose it again at 2026-01-01 12:00:30 UTC" in text
    assert "not decided" in text
    assert "begun 0 times, failed once" in text
    assert "It waits for a request that is not decided yet: request failing failed once" in text
    assert [row["standing"] for row in rows(invoke, run)] == ["settled", "returned", "unfinished"]


def test_dead_letters_are_shown_with_their_error(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    dead = decided(
        run,
        Verdict.ABORT,
        code="rule-error",
        rule="TeamBudget",
        reason="A rule failed.",
        forward=Forward.DEAD_LETTER,
        error_type="ZeroDivisionError",
        error="division by zero",
    )
    in_database(lambda database: put(database, run, dead))
    waiting = shown(invoke, run)
    assert any("not on record there yet" in line for line in waiting)
    letter = DeadLetter(
        letter_id="l",
        reason="rule-error",
        body=b"{}",
        properties={},
        dead_at=NOON,
        request_id="r",
        attempt=0,
        run_kind=run.kind,
        run_id=run.id,
    )
    in_database(lambda database: record_letters(database, letter))
    text = "\n".join(shown(invoke, run))
    assert "ZeroDivisionError: division by zero" in text
    assert "open, rule-error" in text
    [row] = rows(invoke, run)
    assert (row["error_type"], row["dead_letters"][0]["status"]) == ("ZeroDivisionError", "open")


@pytest.mark.parametrize("subflow", [None, uuid4()])
def test_a_state_that_came_with_another_run_is_told(
    invoke: Invoke, in_database: InDatabase, run: TaskRun, subflow: object
) -> None:
    details = StateDetails.model_validate({"child_flow_run_id": subflow})
    state = Completed(state_details=details)
    in_database(lambda database: put(database, run, state=state))
    whose = "another run" if subflow is None else f"flow run {subflow}"
    lines = shown(invoke, run)
    assert any(line.endswith(f"a request on {whose}") for line in lines)
    assert lines[-1].startswith("It has ended: COMPLETED")
    assert rows(invoke, run) == []


def test_what_was_written_instead_is_shown(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    failed = Failed(message="boom")
    accepted = decided(run, Verdict.ACCEPT, state=failed)
    in_database(lambda database: put(database, run, accepted, state=failed))
    lines = [line.strip() for line in shown(invoke, run)]
    assert "written: FAILED (Failed)" in lines
    assert "message     boom" in lines


def test_a_run_that_was_never_made_is_explained_by_its_refusal(
    invoke: Invoke, in_database: InDatabase, run: TaskRun
) -> None:
    refused = decided(run, Verdict.ABORT, code="run-not-found", reason="There is no such run.")

    async def fill(database: Database) -> None:
        async with database.session([Demand(request_id="r")]) as session:
            session.record(refused)

    in_database(fill)
    lines = shown(invoke, run)
    assert lines[0].startswith("when (UTC)")
    assert lines[-1].startswith(f"There is no run {run.id}. The last proposal, RUNNING, was")
    [row] = rows(invoke, run)
    assert (row["code"], row["current_run"]) == ("run-not-found", None)


def test_an_unknown_run_is_told_in_one_line(invoke: Invoke, in_database: InDatabase) -> None:
    del in_database
    unknown = uuid4()
    result = invoke("runs", "show", unknown)
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert f"there is no run {unknown}" in line


def test_what_is_no_id_is_a_usage_error(invoke: Invoke) -> None:
    result = invoke("runs", "show", "extract")
    assert result.exit_code == 2
    assert "'extract' is not a valid UUID" in result.stderr
