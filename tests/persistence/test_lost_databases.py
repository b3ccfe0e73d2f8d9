"""Which errors say that the database is away, on databases that were taken away."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.servers import PostgresServer
from persistence.database import Database, open_database
from persistence.demands import Demand
from persistence.errors import DatabaseUnreachable
from persistence.migrating import upgrade
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Running
from tests.persistence.provoking import HASTY, run_sql, told, what_is_told
from tests.persistence.records import enter, make_runs


async def test_a_session_ended_by_the_server_is_a_lost_database(hasty: Database) -> None:
    async def be_ended() -> None:
        async with hasty.writing() as connection:
            await run_sql(connection, "SELECT pg_terminate_backend(pg_backend_pid())")

    assert await what_is_told(be_ended) == "lost"


async def test_a_transaction_left_idle_for_too_long_is_ended(
    hasty: Database, postgres_database: Database
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)

    async def stand_still() -> None:
        async with hasty.session([Demand(run_id=run.id)]) as session:
            async with postgres_database.session([Demand(run_id=run.id)]):
                pass
            found = await session.task_run(run.id)
            assert found is not None
            found.run_count = 1

    assert await what_is_told(stand_still) == "lost"


async def test_a_lost_connection_that_a_rule_hid_is_found_again(hasty: Database) -> None:
    async def hide() -> None:
        async with hasty.session([]) as session:
            sql = await session.sql()
            with pytest.raises(DBAPIError):
                await sql.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises((PendingRollbackError, DBAPIError)) as caught:
        await hide()

    assert told(caught.value) == "lost"


async def test_a_database_that_only_reads_is_lost(postgres_engine: AsyncEngine) -> None:
    async def write() -> None:
        async with postgres_engine.begin() as connection:
            await run_sql(connection, "SET TRANSACTION READ ONLY")
            await run_sql(connection, "UPDATE run SET run_count = 0")

    assert await what_is_told(write) == "lost"


@pytest.fixture
def mortal(own_postgres: Callable[[], PostgresServer]) -> Iterator[PostgresServer]:
    """A server to be stopped, killed and frozen."""
    server = own_postgres()
    yield server
    server.kill()


async def test_a_server_that_is_killed_frozen_or_stopped_is_a_lost_database(
    mortal: PostgresServer,
) -> None:
    url = await asyncio.to_thread(mortal.create_database, "mortal")
    await asyncio.to_thread(upgrade, url)
    run = TaskRun(id=uuid7())

    async with open_database(url, HASTY) as database:
        await make_runs(database, run)

        async def change(meanwhile: Callable[[], None]) -> None:
            async with database.session([Demand(run_id=run.id)]) as session:
                meanwhile()
                await enter(session, run, Running())

        assert await what_is_told(lambda: change(mortal.kill)) == "lost"
        with pytest.raises(DatabaseUnreachable, match=r"^[^\n]*POINTSMAN_DATABASE_URL[^\n]*$"):
            await database.check_schema()
        await asyncio.to_thread(mortal.start_again)
        assert await what_is_told(lambda: change(lambda: None)) == "no error"

        assert await what_is_told(lambda: change(mortal.pause)) == "lost"
        assert await what_is_told(lambda: change(lambda: None)) == "lost"
        await asyncio.to_thread(mortal.unpause)
        while (again := await what_is_told(lambda: change(lambda: None))) == "transient":
            pass  # the frozen session holds its lock until its backend finds its client gone
        assert again == "no error"

        assert await what_is_told(lambda: change(mortal.stop)) == "lost"


async def test_a_server_with_no_connection_to_spare_is_a_lost_database(
    postgres_engine: AsyncEngine,
) -> None:
    password = uuid7().hex
    async with postgres_engine.begin() as connection:
        name = postgres_engine.url.database
        await run_sql(connection, f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        # A server in a container asks for it before it looks for a place.
        await run_sql(connection, f"CREATE ROLE nobody_special LOGIN PASSWORD '{password}'")
    try:
        url = postgres_engine.url.set(username="nobody_special", password=password)
        async with open_database(url.render_as_string(hide_password=False)) as database:
            with pytest.raises(DatabaseUnreachable) as caught:
                await database.check_schema()
        assert "too many connections" in str(caught.value)
        assert told(caught.value) == "lost"
    finally:
        async with postgres_engine.begin() as connection:
            await run_sql(connection, "DROP ROLE nobody_special")
