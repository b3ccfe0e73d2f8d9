"""The schema goes up and down, and is what the models say."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import open_database
from persistence.dead_letters.filters import EVERY_LETTER
from persistence.dead_letters.listing import choose_letters
from persistence.dead_letters.replaying import begin_replays
from persistence.errors import (
    DatabaseUnreachable,
    MigrationFailed,
    SchemaOutdated,
    SchemaUnknown,
)
from persistence.migrating import check, current, downgrade, migrations, upgrade
from persistence.revisions import EXPECTED_REVISION, REVISIONS
from persistence.schema import Base

LETTER = """
    INSERT INTO dead_letter
    (id, letter_id, status, reason, body, properties, attempts, dead_at, recorded_at, request_id)
    VALUES ('0190b9b07d0a7c2f8f570123456789ab', 'l', 'open', 'failed', '{}', '{}', 1,
    '2026-01-01 12:00:00+00:00', '2026-01-01 12:00:00+00:00', 'r')
"""


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def tables_of(url: str) -> set[str]:
    async with open_database(url) as database, database.reading() as connection:
        return await connection.run_sync(tables)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


def test_the_revisions_are_those_of_the_migrations() -> None:
    walked = ScriptDirectory.from_config(migrations()).walk_revisions()

    assert [each.revision for each in walked] == list(reversed(REVISIONS))


def test_the_schema_goes_up_and_down(database_url: str) -> None:
    assert upgrade(database_url) == EXPECTED_REVISION
    assert asyncio.run(tables_of(database_url)) == {*Base.metadata.tables, "alembic_version"}

    assert downgrade(database_url) is None
    assert asyncio.run(tables_of(database_url)) == {"alembic_version"}

    assert upgrade(database_url) == EXPECTED_REVISION
    assert current(database_url) == EXPECTED_REVISION


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str) -> None:
    upgrade(database_url)

    assert upgrade(database_url) == EXPECTED_REVISION


def test_dead_letters_of_before_can_be_replayed_after_an_upgrade(database_url: str) -> None:
    upgrade(database_url, "0001")
    asyncio.run(_run(database_url, LETTER))

    upgrade(database_url)
    assert asyncio.run(_replayed_as(database_url)) == [("r", 0)]
    downgrade(database_url, "0001")
    upgrade(database_url)
    assert asyncio.run(_replayed_as(database_url)) == [("r", 0)]


async def test_the_migrations_lead_to_what_the_models_describe(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_column_that_no_migration_made_would_be_found(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE topology ADD COLUMN stray INTEGER"))
        assert len(await connection.run_sync(differences)) == 1


def test_a_schema_that_is_there_passes_the_check(database_url: str) -> None:
    upgrade(database_url)

    assert check(database_url) == EXPECTED_REVISION


def test_a_database_without_a_schema_is_told_how_to_get_one(database_url: str) -> None:
    with pytest.raises(SchemaOutdated, match=r"^[^\n]*'pointsman db upgrade'$") as caught:
        check(database_url)

    assert (caught.value.current, caught.value.expected) == (None, EXPECTED_REVISION)
    assert current(database_url) is None


def test_to_look_for_a_schema_makes_no_file(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaOutdated):
        check(sqlite_url)

    assert list(tmp_path.iterdir()) == []


def test_a_sqlite_file_is_made_with_its_folder(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'a folder' / 'pointsman.db'}"

    assert upgrade(url) == EXPECTED_REVISION


def test_a_schema_of_a_newer_version_is_left_alone(database_url: str) -> None:
    upgrade(database_url)
    asyncio.run(_run(database_url, "UPDATE alembic_version SET version_num = '9999'"))

    for refused in (check, upgrade, downgrade):
        with pytest.raises(SchemaUnknown, match=r"9999.*install the newer version"):
            refused(database_url)


def test_a_database_that_is_not_there_is_told_in_one_line(postgres_url: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=r"^[^\n]*POINTSMAN_DATABASE_URL[^\n]*$"):
        check(f"{postgres_url}_missing")


def test_a_file_that_is_no_database_is_told_in_one_line(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "pointsman.db").write_text("Dear diary, today I was no database. " * 50)

    for refused in (check, upgrade):
        with pytest.raises(DatabaseUnreachable, match=r"^[^\n]*not a database[^\n]*$"):
            refused(sqlite_url)


def test_a_change_that_the_database_refuses_is_told_and_leaves_all_as_it_was(
    postgres_url: str,
) -> None:
    asyncio.run(_run(postgres_url, "CREATE TABLE run (id integer)"))

    with pytest.raises(MigrationFailed, match=r"^[^\n]*\"run\" already exists[^\n]*$"):
        upgrade(postgres_url)
    assert asyncio.run(tables_of(postgres_url)) == {"run"}


async def test_two_upgrades_at_once_are_one(database_url: str) -> None:
    revisions = await asyncio.gather(*(asyncio.to_thread(upgrade, database_url) for _ in range(3)))

    assert revisions == [EXPECTED_REVISION] * 3


def test_the_migrations_are_found_from_any_folder(sqlite_url: str, tmp_path: Path) -> None:
    program = f"from persistence.migrating import upgrade; print(upgrade({sqlite_url!r}))"
    root = Path(__file__).parents[2]

    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert finished.stdout.strip() == EXPECTED_REVISION


async def _replayed_as(url: str) -> list[tuple[str, int]]:
    async with open_database(url) as database:
        ids = [each.id for each in await choose_letters(database, EVERY_LETTER)]
        return [(each.request_id, each.attempt) for each in await begin_replays(database, ids)]


async def _run(url: str, statement: str) -> None:
    async with open_database(url) as database, database.writing() as connection:
        await connection.execute(text(statement))
