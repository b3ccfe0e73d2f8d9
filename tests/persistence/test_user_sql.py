"""SQL of users' own rules: on the batch's transaction, inside a savepoint of the request's own."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from persistence.database import Database
from persistence.demands import Demand
from persistence.errors import is_refused
from persistence.limits import set_limit
from persistence.session import Session
from rules.identifiers import uuid7
from rules.runs import FlowRun, Run, TaskRun
from rules.states import Completed, Failed, Pending, Running
from tests.persistence.records import NOON, enter, make_runs, record_of

INSERT = text("INSERT INTO note (content) VALUES (:content)")
BROKEN = text("SELECT nothing FROM nowhere")


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]


@pytest.fixture(autouse=True)
async def table(database: Database) -> None:
    """A table of the users' own."""
    async with database.writing() as connection:
        await connection.run_sync(Base.metadata.create_all)


async def notes(database: Database) -> list[str]:
    async with database.reading() as connection:
        found = await connection.execute(text("SELECT content FROM note ORDER BY id"))
        return list(found.scalars())


async def note(session: Session, content: str) -> None:
    await (await session.sql()).execute(INSERT, {"content": content})


def demands(*runs: Run) -> list[Demand]:
    return [Demand(run_id=run.id, kind=run.kind) for run in runs]


async def test_what_a_rule_writes_is_committed_with_the_batch(database: Database) -> None:
    async with database.session([]) as session:
        await note(session, "by SQL")
        sql = await session.sql()
        sql.add(Note(content="by object"))

    assert await notes(database) == ["by SQL", "by object"]


async def test_what_a_rule_writes_goes_with_the_batch(database: Database) -> None:
    async def fail() -> None:
        async with database.session([]) as session:
            await note(session, "in vain")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await notes(database) == []


async def test_only_the_undone_request_loses_what_its_rules_wrote(database: Database) -> None:
    async with database.session([]) as session:
        for number in range(4):
            session.begin_request()
            await note(session, str(number))
            if number in (1, 3):
                await session.undo_request()

    assert await notes(database) == ["0", "2"]


async def test_a_request_without_sql_that_is_undone_leaves_the_one_before(
    database: Database,
) -> None:
    async with database.session([]) as session:
        session.begin_request()
        await note(session, "kept")
        session.begin_request()
        await session.undo_request()

    assert await notes(database) == ["kept"]


async def test_a_rule_sees_in_the_tables_what_was_decided_before_it(database: Database) -> None:
    await set_limit(database, "db", 2)
    run = TaskRun(id=uuid7(), tags=("db",))
    async with database.session([Demand(run_id=run.id, kind=run.kind, create=run)]) as session:
        session.make_run(run)
        session.begin_request()
        await enter(session, run, Running())
        session.take_slots(run.id, ["db"])
        sql = await session.sql()
        counted = await sql.execute(
            text(
                "SELECT version, (SELECT count(*) FROM run_state),"
                " (SELECT count(*) FROM concurrency_slot) FROM run"
            )
        )
        assert tuple(counted.one()) == (1, 1, 1)
        await enter(session, run, Completed(data=[1]))
        assert (await (await session.sql()).scalar(text("SELECT version FROM run"))) == 2


async def test_an_undone_request_leaves_the_tables_as_if_it_had_not_been(
    database: Database,
) -> None:
    """Though all that it changed had been written before its rule asked for SQL."""
    await set_limit(database, "db", 2)
    flow_run = FlowRun(id=uuid7())
    run = TaskRun(id=uuid7(), tags=("db",), flow_run_id=flow_run.id)
    await make_runs(database, flow_run, run)
    before, after = Running(), Failed()
    async with database.session(demands(run)) as session:
        session.begin_request()
        await enter(session, run, before)
        session.take_slots(run.id, ["db"])
        session.record(record_of(run, "earlier"))

        session.begin_request()
        in_vain = Completed(data="in vain")
        await enter(session, run, in_vain)
        session.write_artifact(run, in_vain)
        session.release_slots(run.id, ["db"])
        unforeseen = await session.flow_run(flow_run.id)
        assert unforeseen is not None
        await enter(session, flow_run, Pending())
        session.remember_state("key", in_vain, None)
        await note(session, "in vain")
        await session.undo_request()

        assert await session.slots_held(run.id) == {"db"}
        assert (await session.slots_taken(["db"]))["db"] == 1
        assert await session.cached_state("key", NOON) is None
        session.begin_request()
        await enter(session, run, after)

    async with database.session(demands(run, flow_run)) as session:
        found = await session.run(run.id)
        assert found is not None
        assert (found.state, found.version) == (after, 2)
        assert await session.run(flow_run.id) == flow_run
        assert await session.slots_held(run.id) == {"db"}
    async with database.reading() as connection:
        types = await connection.execute(text("SELECT type FROM run_state ORDER BY version"))
        assert list(types.scalars()) == ["RUNNING", "FAILED"]
        assert (await connection.execute(text("SELECT count(*) FROM artifact"))).scalar() == 0
    assert await notes(database) == []


async def test_runs_changed_by_both_an_earlier_and_an_undone_request_keep_the_earlier_change(
    database: Database,
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(database, run)
    async with database.session(demands(run)) as session:
        session.begin_request()
        found = await session.task_run(run.id)
        assert found is not None
        found.run_count = 1
        session.begin_request()
        await session.task_run(run.id)
        found.run_count = 2
        await session.sql()
        await session.undo_request()
        assert found.run_count == 1

    async with database.session(demands(run)) as session:
        found = await session.task_run(run.id)
        assert found is not None
        assert found.run_count == 1


async def test_a_rules_failing_sql_spoils_nothing_else(database: Database) -> None:
    async with database.session([]) as session:
        session.begin_request()
        await note(session, "before")
        session.begin_request()
        with pytest.raises(DBAPIError):
            await (await session.sql()).execute(BROKEN)
        await session.undo_request()
        session.begin_request()
        await note(session, "after")

    assert await notes(database) == ["before", "after"]


async def test_a_failure_that_a_rule_hides_fails_the_batch_rather_than_vanish(
    postgres_database: Database,
) -> None:
    """PostgreSQL would answer the commit with a rollback, and no error."""
    async with postgres_database.writing() as connection:
        await connection.run_sync(Base.metadata.create_all)

    async def hide() -> None:
        async with postgres_database.session([]) as session:
            await note(session, "in vain")
            sql = await session.sql()
            try:
                await sql.execute(BROKEN)
            except DBAPIError:
                await sql.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError) as caught:
        await hide()

    assert is_refused(caught.value)


async def test_a_rules_own_commits_and_rollbacks_stay_within_the_request(
    database: Database,
) -> None:
    async with database.session([]) as session:
        session.begin_request()
        sql = await session.sql()
        sql.add(Note(content="committed"))
        await sql.commit()
        sql.add(Note(content="rolled back"))
        await sql.rollback()
        session.begin_request()
        await note(session, "undone")
        await (await session.sql()).commit()
        await session.undo_request()

    assert await notes(database) == ["committed"]


async def test_within_one_request_the_sql_is_the_same(database: Database) -> None:
    async with database.session([]) as session:
        session.begin_request()
        first = await session.sql()
        assert await session.sql() is first
        session.begin_request()
        assert await session.sql() is not first


async def test_a_statement_that_takes_too_long_passes_unless_a_rule_has_sql_of_its_own(
    hasty: Database,
) -> None:
    async with hasty.session([]) as session:
        session.begin_request()
        with pytest.raises(DBAPIError) as timed_out:
            await (await session.sql()).execute(text("SELECT pg_sleep(60)"))
        assert not session.is_transient(timed_out.value)
        await session.undo_request()
        session.begin_request()
        assert session.is_transient(timed_out.value)
