"""The history of a run."""

from datetime import timedelta

from persistence.begun import BegunKey, count_begun, count_failure, remember_sender
from persistence.database import Database
from persistence.demands import Demand
from persistence.history import UndecidedAttempt, run_history
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed
from tests.persistence.records import NOON, enter, make_runs, record_of


async def test_a_runs_decisions_come_as_they_were_made(database: Database) -> None:
    run, other = TaskRun(id=uuid7(), name="extract"), TaskRun(id=uuid7())
    await make_runs(database, run, other)
    state = Completed(data={"rows": 1})
    records = [
        record_of(run, "z", decided_at=NOON),
        record_of(run, "b", decided_at=NOON + timedelta(seconds=1)),
        record_of(run, "b", 1, decided_at=NOON + timedelta(seconds=2)),
        record_of(run, "a", decided_at=NOON + timedelta(seconds=3)),
    ]
    async with database.session([Demand(run_id=run.id)]) as session:
        for record in reversed(records):
            session.record(record)
        session.record(record_of(other, "other"))
        await enter(session, run, state)
        session.write_artifact(run, state)

    history = await run_history(database, run.id)

    assert history.decisions == tuple(records)
    assert history.run is not None
    assert (history.run.name, history.run.state) == ("extract", state)


async def test_an_unknown_run_may_have_decisions_too(database: Database) -> None:
    run = TaskRun(id=uuid7())
    record = record_of(run, "a", code="run-not-found")
    async with database.session([]) as session:
        session.record(record)

    history = await run_history(database, run.id)

    assert (history.run, history.decisions) == (None, (record,))


async def test_attempts_that_were_begun_or_failed_and_are_not_decided_yet_are_told(
    database: Database,
) -> None:
    run = TaskRun(id=uuid7())

    def key(request_id: str, attempt: int = 0) -> BegunKey:
        return BegunKey(
            request_id=request_id,
            attempt=attempt,
            run_id=run.id,
            body_sha256=b"digest",
            user_id=None,
        )

    await count_failure(database, key("failed"), NOON + timedelta(seconds=1))
    await count_begun(database, {key("begun", 2): 1}, NOON)
    await remember_sender(database, key("only sent round"), NOON)
    await count_begun(database, {key("decided"): 1}, NOON)
    async with database.session([]) as session:
        session.record(record_of(run, "decided"))

    history = await run_history(database, run.id)

    assert history.undecided == (
        UndecidedAttempt(request_id="begun", attempt=2, begun=1, failures=0, updated=NOON),
        UndecidedAttempt(
            request_id="failed",
            attempt=0,
            begun=0,
            failures=1,
            updated=NOON + timedelta(seconds=1),
        ),
    )


async def test_what_was_begun_or_failed_and_is_not_decided_is_told(database: Database) -> None:
    run, other = TaskRun(id=uuid7()), TaskRun(id=uuid7())
    later = NOON + timedelta(seconds=1)
    for key in (key_of(run, "fails"), key_of(run, "decided"), key_of(run, "decided", 1)):
        await count_failure(database, key, later)
    await count_failure(database, key_of(run, "fails"), later)
    await count_begun(database, {key_of(run, "begun"): 1}, NOON)
    await remember_sender(database, key_of(run, "sent home"), NOON)
    await count_failure(database, key_of(other, "other"), NOON)
    async with database.session([]) as session:
        session.record(record_of(run, "decided"))

    history = await run_history(database, run.id)

    assert history.undecided == (
        UndecidedAttempt(request_id="begun", attempt=0, begun=1, failures=0, updated=NOON),
        UndecidedAttempt(request_id="decided", attempt=1, begun=0, failures=1, updated=later),
        UndecidedAttempt(request_id="fails", attempt=0, begun=0, failures=2, updated=later),
    )


def key_of(run: TaskRun, request_id: str, attempt: int = 0) -> BegunKey:
    return BegunKey(
        request_id=request_id, attempt=attempt, run_id=run.id, body_sha256=b"", user_id=None
    )
