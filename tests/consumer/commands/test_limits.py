from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import from_json
from sqlalchemy import insert

from persistence.database import Database
from persistence.demands import Demand
from persistence.schema import ConcurrencySlotRow, table_of
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed, Running, State
from tests.consumer.commands.conftest import InDatabase, Invoke
from tests.persistence.records import NOON, enter, make_runs

SLOT = table_of(ConcurrencySlotRow)

Runs = Callable[..., TaskRun]


@pytest.fixture
def run_in(in_database: InDatabase) -> Runs:
    """Puts a task run in that state on record, with the tag db."""

    def put(state: State | None, **fields: Any) -> TaskRun:
        run = TaskRun(id=uuid7(), tags=("db",), **fields)

        async def write(database: Database) -> None:
            await make_runs(database, run)
            if state is not None:
                async with database.session([Demand(run_id=run.id, kind=run.kind)]) as session:
                    await enter(session, run, state)

        in_database(write)
        return run

    return put


@pytest.fixture
def hold(in_database: InDatabase) -> Callable[[str, UUID], None]:
    """Enters a holder by hand."""

    def put(tag: str, run_id: UUID) -> None:
        async def write(database: Database) -> None:
            async with database.writing() as connection:
                row = {"tag": tag, "task_run_id": run_id, "taken_at": NOON}
                await connection.execute(insert(SLOT), row)

        in_database(write)

    return put


def listed(invoke: Invoke) -> list[dict[str, Any]]:
    result = invoke("limits", "list", "--json")
    assert result.exit_code == 0, result.stderr
    rows: list[dict[str, Any]] = from_json(result.stdout)
    return rows


def the_line(invoke: Invoke, *arguments: object, code: int = 1) -> str:
    result = invoke("limits", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    [line] = result.stderr.splitlines()
    return line


def test_a_limit_that_is_set_makes_holders_of_those_that_run(invoke: Invoke, run_in: Runs) -> None:
    running = run_in(Running(), name="extract")
    run_in(Completed())
    run_in(None)
    result = invoke("limits", "set", "db", 2)
    assert result.exit_code == 0, result.stderr
    head, row = result.stdout.splitlines()
    assert head.split() == ["tag", "slots", "taken", "holders"]
    assert row.split()[:3] == ["db", "2", "1"]
    assert f"{running.id} extract, RUNNING, since" in row
    [limit] = listed(invoke)
    assert (limit["tag"], limit["slots"], limit["taken"]) == ("db", 2, 1)
    [holder] = limit["holders"]
    assert holder.keys() == {"task_run_id", "name", "state_type", "taken_at"}
    assert holder["task_run_id"] == str(running.id)


def test_more_holders_than_the_limit_allows_are_told(invoke: Invoke, run_in: Runs) -> None:
    for _ in range(3):
        run_in(Running())
    assert "no other starts while 2 or more" in invoke("limits", "set", "db", 2).stdout
    assert "no other" not in invoke("limits", "set", "db", 3).stdout
    assert "no other" not in invoke("limits", "set", "db", 0).stdout
    [limit] = from_json(invoke("limits", "set", "db", 1, "--json").stdout)
    assert (limit["slots"], limit["taken"]) == (1, 3)


def test_limits_are_listed_by_tag(invoke: Invoke, in_database: InDatabase) -> None:
    del in_database
    assert invoke("limits", "list").stdout == "no tag has a limit\n"
    assert listed(invoke) == []
    for tag, slots in (("eu", 1), ("db", 5), ("db", 7)):
        invoke("limits", "set", tag, slots)
    assert [(limit["tag"], limit["slots"]) for limit in listed(invoke)] == [("db", 7), ("eu", 1)]
    assert len(invoke("limits", "list").stdout.splitlines()) == 3


def test_a_limit_that_is_deleted_is_gone_with_its_slots(invoke: Invoke, run_in: Runs) -> None:
    run_in(Running())
    invoke("limits", "set", "db", 1)
    result = invoke("limits", "delete", "db")
    assert (result.exit_code, result.stdout) == (
        0,
        "the limit of 'db' is deleted; holders of its slots: 1\n",
    )
    assert listed(invoke) == []
    invoke("limits", "set", "db", 4)
    [deleted] = from_json(invoke("limits", "delete", "db", "--json").stdout)
    assert (deleted["tag"], deleted["slots"], deleted["taken"]) == ("db", 4, 1)


def test_reset_frees_and_names_what_no_longer_runs(
    invoke: Invoke, run_in: Runs, hold: Callable[[str, UUID], None]
) -> None:
    running, done, never = run_in(Running()), run_in(Completed(), name="load"), run_in(None)
    for tag in ("db", "eu"):
        invoke("limits", "set", tag, 1)
        hold(tag, done.id)
    hold("eu", never.id)
    result = invoke("limits", "reset", "db")
    assert result.exit_code == 0, result.stderr
    _, row = result.stdout.splitlines()
    assert row.split() == ["db", str(done.id), "load", "COMPLETED"]
    freed = from_json(invoke("limits", "reset", "--json").stdout)
    assert freed == [
        {"tag": "eu", "task_run_id": str(run.id), "name": run.name, "state_type": state}
        for run, state in ((done, "COMPLETED"), (never, None))
    ]
    assert invoke("limits", "reset").stdout == "no slot had to be freed\n"
    assert from_json(invoke("limits", "reset", "--json").stdout) == []
    held = {limit["tag"]: limit["holders"] for limit in listed(invoke)}
    assert [holder["task_run_id"] for holder in held["db"]] == [str(running.id)]
    assert held["eu"] == []


def test_a_tag_without_a_limit_is_told_and_nothing_is_done(
    invoke: Invoke, run_in: Runs, hold: Callable[[str, UUID], None]
) -> None:
    invoke("limits", "set", "db", 1)
    hold("db", run_in(None).id)
    assert "no limit of 'nope'" in the_line(invoke, "delete", "nope")
    assert "no limit of 'nope', 'no'" in the_line(invoke, "reset", "nope", "db", "no")
    assert [limit["taken"] for limit in listed(invoke)] == [1]


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "2147483648", ""])
def test_a_wrong_number_is_a_usage_error(
    invoke: Invoke, in_database: InDatabase, number: str
) -> None:
    del in_database
    assert "'N'" in the_line(invoke, "set", "db", number, code=2)
    assert listed(invoke) == []


@pytest.mark.parametrize("tag", ["", "x" * 256])
def test_a_tag_that_no_run_can_have_is_a_usage_error(invoke: Invoke, tag: str) -> None:
    assert "a tag " in the_line(invoke, "set", tag, 1, code=2)


@pytest.mark.parametrize("tag", ["x" * 255, "two words", "[/red]", "--", "-x", "Größe\u00a0%"])
def test_any_other_tag_can_be_limited(invoke: Invoke, in_database: InDatabase, tag: str) -> None:
    del in_database
    result = invoke("limits", "set", "--", tag, 1)
    assert result.exit_code == 0, result.stderr
    assert [limit["tag"] for limit in listed(invoke)] == [tag]
