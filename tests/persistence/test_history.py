"""The history of a run."""

from datetime import timedelta

from persistence.database import Database
from persistence.demands import Demand
from persistence.history import run_history
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
