"""What an error says about trying again, on errors that were provoked for real."""

import asyncio
import secrets
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database, open_database
from persistence.demands import Demand
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Running
from tests.persistence.provoking import HASTY, LOCK, run_sql, told, what_is_told
from tests.persistence.records import enter, make_runs, record_of
from tests.persistence.waiting import until_one_waits


async def test_a_deadlock_is_passing(postgres_database: Database) -> None:
    first, second = sorted((uuid7(), uuid7()))
    await make_runs(postgres_database, TaskRun(id=first), TaskRun(id=second))

    async def lock(one: UUID, other: UUID, ready: asyncio.Barrier) -> None:
        async with postgres_database.writing() as connection:
            await run_sql(connection, LOCK, id=one)
            await ready.wait()
            await run_sql(connection, LOCK, id=other)

    ready = asyncio.Barrier(2)
    answers = await asyncio.gather(
        what_is_told(lambda: lock(first, second, ready)),
        what_is_told(lambda: lock(second, first, ready)),
    )

    assert sorted(answers) == ["no error", "transient"]


async def test_a_serialization_failure_is_passing(
    postgres_database: Database, postgres_engine: AsyncEngine
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)
    serializable = postgres_engine.execution_options(isolation_level="REPEATABLE READ")

    async def change_late() -> None:
        async with serializable.begin() as connection:
            await run_sql(connection, "SELECT 1 FROM run")
            async with postgres_database.writing() as other:
                await run_sql(other, "UPDATE run SET run_count = 1")
            await run_sql(connection, "UPDATE run SET run_count = 2")

    assert await what_is_told(change_late) == "transient"


async def test_a_lock_that_is_not_had_in_time_is_passing(
    postgres_database: Database, hasty: Database
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)

    async def wait() -> None:
        async with hasty.session([Demand(run_id=run.id)]):
            pass

    async with postgres_database.session([Demand(run_id=run.id)]):
        assert await what_is_told(wait) == "transient"


async def test_a_statement_that_takes_too_long_is_passing(hasty: Database) -> None:
    async def sleep() -> None:
        async with hasty.writing() as connection:
            await run_sql(connection, "SELECT pg_sleep(60)")

    assert await what_is_told(sleep) == "transient"


async def test_a_decision_that_another_transaction_recorded_first_is_a_duplicate(
    database: Database,
) -> None:
    async def record_twice() -> None:
        async with database.session([Demand(request_id="one")]) as session:
            session.record(record_of(None, "one"))
            session.record(record_of(None, "one"))

    assert await what_is_told(record_twice) == "duplicate"


async def test_a_table_that_is_missing_makes_the_database_unusable(database: Database) -> None:
    async def select() -> None:
        async with database.writing() as connection:
            await run_sql(connection, "SELECT 1 FROM nowhere")

    assert await what_is_told(select) == "unusable"


async def test_a_busy_sqlite_is_passing(sqlite_url: str, sqlite_database: Database) -> None:
    async def write() -> None:
        async with open_database(sqlite_url, HASTY) as other, other.writing():
            pass

    async with sqlite_database.writing():
        assert await what_is_told(write) == "transient"
    assert await what_is_told(write) == "no error"


async def test_a_sqlite_without_room_is_a_lost_database(
    sqlite_engine: AsyncEngine,
) -> None:
    async def fill() -> None:
        async with sqlite_engine.begin() as connection:
            await run_sql(connection, "PRAGMA max_page_count = 1")
            await run_sql(connection, "CREATE TABLE large AS SELECT randomblob(1000000)")

    assert await what_is_told(fill) == "lost"


async def test_a_value_that_the_column_can_not_hold_is_refused(database: Database) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(database, run)

    async def count_too_far() -> None:
        async with database.session([Demand(run_id=run.id)]) as session:
            found = await session.task_run(run.id)
            assert found is not None
            found.run_count = 2**70

    assert await what_is_told(count_too_far) == "refused"


async def test_a_text_that_postgresql_can_not_hold_is_refused(
    postgres_database: Database,
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)

    async def write(message: str) -> None:
        async with postgres_database.session([Demand(run_id=run.id)]) as session:
            await enter(session, run, Running(message=message))

    assert await what_is_told(lambda: write("a NUL: \0")) == "refused"
    assert await what_is_told(lambda: write("half a pair: \ud800")) == "refused"


async def test_a_text_too_long_for_an_index_is_refused(postgres_database: Database) -> None:
    async def record() -> None:
        async with postgres_database.session([Demand(request_id=long)]) as session:
            session.record(record_of(None, long))

    long = secrets.token_hex(20_000)
    assert await what_is_told(record) == "refused"


async def test_an_error_of_a_rules_own_is_none_of_storage() -> None:
    for error in (ValueError(), ConnectionRefusedError(), TimeoutError(), OSError()):
        assert told(error) == "nothing"


async def test_who_waits_in_vain_is_seen_waiting(postgres_database: Database) -> None:
    """The tests above rest on this."""
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)

    async def wait() -> None:
        async with postgres_database.session([Demand(run_id=run.id)]):
            pass

    async with postgres_database.session([Demand(run_id=run.id)]):
        waiting = asyncio.create_task(wait())
        await until_one_waits(postgres_database)
        assert not waiting.done()
    await waiting
