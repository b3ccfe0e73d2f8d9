"""Engines: how long they wait, and that SQLite takes its lock at the beginning."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database, open_database
from persistence.demands import Demand
from persistence.engine import database_url, open_engine, shown
from persistence.errors import DatabaseUnreachable, InvalidDatabaseUrlError
from rules.identifiers import uuid7
from rules.runs import TaskRun
from tests.persistence.records import make_runs


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql://user@host/database",
        "postgresql+psycopg://user@host/database",
        "mysql+aiomysql://user@host/database",
        "sqlite:///pointsman.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "postgresql+asyncpg://user:secret@host:port/database",
        "postgresql+asyncpg://user:secret@host:5432",
        "postgresql+asyncpg://user:secret@host/",
        "postgresql+asyncpg:///runs?host=one:1&host=two",
        "sqlite+aiosqlite://user:secret@host/pointsman.db",
        "not a URL with a secret",
    ],
)
def test_a_url_that_can_not_be_used_is_told_in_one_line(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrlError, match=r"^[^\n]*must be like[^\n]*$") as caught:
        open_engine(url)

    assert "secret" not in str(caught.value)


def test_what_is_shown_of_a_url_holds_no_secret() -> None:
    url = database_url("postgresql+asyncpg://user:secret@host:5433/runs?password=secret")

    assert shown(url) == "postgresql+asyncpg://host:5433/runs"


async def test_an_error_of_connecting_holds_no_secret() -> None:
    url = "postgresql+asyncpg://user:secret@127.0.0.1:1/runs?passfile=secret"
    async with open_database(url) as database:
        with pytest.raises(DatabaseUnreachable) as caught:
            await database.check_schema()

    assert "secret" not in str(caught.value)


async def test_an_error_of_a_statement_holds_nothing_of_what_was_written(
    database: Database,
) -> None:
    insert = text("INSERT INTO topology (name) VALUES (:name)")
    async with database.writing() as connection:
        with pytest.raises(IntegrityError) as caught:
            await connection.execute(insert, {"name": "what a run produced"})

    assert "what a run produced" not in str(caught.value)


async def test_a_session_on_postgresql_has_its_time_limits(postgres_engine: AsyncEngine) -> None:
    async with postgres_engine.connect() as connection:
        shown_settings = await connection.execute(
            text("SELECT name, setting FROM pg_settings WHERE source = 'client'")
        )
        settings: dict[str, str] = dict(shown_settings.all())
        level = await connection.execute(text("SHOW transaction_isolation"))

    assert settings["lock_timeout"] == "5000"
    assert settings["statement_timeout"] == "20000"
    assert settings["idle_in_transaction_session_timeout"] == "60000"
    assert settings["tcp_keepalives_idle"] == "30"
    assert settings["application_name"] == "pointsman"
    assert level.scalar() == "read committed"


@pytest.mark.parametrize(("by_index", "scans"), [(True, "off"), (False, "on")])
async def test_tables_are_read_whole_only_where_that_is_wanted(
    postgres_url: str, *, by_index: bool, scans: str
) -> None:
    async with (
        open_database(postgres_url, by_index=by_index) as database,
        database.reading() as connection,
    ):
        settings = [
            (await connection.execute(text(f"SHOW {name}"))).scalar()
            for name in ("enable_seqscan", "jit")
        ]

    assert settings == [scans, scans]


async def test_sqlite_writes_ahead_waits_and_checks_foreign_keys(
    sqlite_engine: AsyncEngine,
) -> None:
    async with sqlite_engine.connect() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {pragma}"))).scalar()
            for pragma in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        ]

    assert found == ["wal", 1, 10_000, 2]


async def test_of_two_writers_on_sqlite_the_second_reads_what_the_first_wrote(
    sqlite_database: Database,
) -> None:
    """With a lock only at the first write, both would read first and one would fail, or err."""
    run = TaskRun(id=uuid7())
    await make_runs(sqlite_database, run)
    order: list[str] = []
    begun = asyncio.Event()

    async def first() -> None:
        async with sqlite_database.session([Demand(run_id=run.id)]) as session:
            begun.set()
            found = await session.task_run(run.id)
            assert found is not None
            found.run_count += 1
            order.append("first")

    async def second() -> None:
        await begun.wait()
        async with sqlite_database.session([Demand(run_id=run.id)]) as session:
            order.append("second")
            found = await session.task_run(run.id)
            assert found is not None
            assert found.run_count == 1

    await asyncio.gather(first(), second())

    assert order == ["first", "second"]


async def test_a_reader_on_sqlite_does_not_wait_for_a_writer(sqlite_database: Database) -> None:
    async with sqlite_database.writing(), sqlite_database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM run"))).scalar() == 0
