from pathlib import Path

import pytest
from sqlalchemy import text

from consumer.checking.database import check_database
from consumer.checking.findings import Finding
from persistence.address import DatabaseAddress
from persistence.database import open_database
from persistence.migrating import upgrade
from persistence.revisions import EXPECTED_REVISION
from persistence.schema import LetterStatus
from persistence.topology import record_partitions
from tests.persistence.dead_letters.letters import letter

NOBODY = "postgresql+asyncpg://postgres:sesame@127.0.0.1:1/postgres"
REST = ["schema", "tables", "partition-count", "dead-letters"]


async def found(url: str, partitions: int = 2) -> dict[str, Finding]:
    return {each.name: each for each in await check_database(DatabaseAddress(url), partitions)}


@pytest.fixture
def migrated_url(database_url: str) -> str:
    upgrade(database_url)
    return database_url


async def change(url: str, statement: str) -> None:
    async with open_database(url) as database, database.writing() as connection:
        await connection.execute(text(statement))


async def test_where_all_is_in_order_nothing_has_failed(migrated_url: str) -> None:
    async with open_database(migrated_url) as database:
        await record_partitions(database, 2)
    findings = await found(migrated_url)
    assert all(each.ok for each in findings.values())
    assert findings["database"].details["version"].split()[0] in {"PostgreSQL", "SQLite"}
    assert findings["schema"].details["revision"] == EXPECTED_REVISION
    assert findings["dead-letters"].lines == ("none is open",)


async def test_a_database_that_is_away_is_all_that_has_failed() -> None:
    findings = await found(NOBODY)
    assert findings["database"].ok is False
    assert [name for name, each in findings.items() if each.ok is None] == REST
    assert "sesame" not in str(findings)


def there(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_file_that_is_not_there_is_told_and_not_made(
    sqlite_url: str, tmp_path: Path
) -> None:
    findings = await found(sqlite_url)
    assert findings["database"].ok is False
    assert "pointsman db upgrade" in findings["database"].lines[0]
    assert not there(tmp_path)


async def test_a_database_without_the_schema_is_told(postgres_url: str) -> None:
    findings = await found(postgres_url)
    assert findings["database"].ok
    assert findings["schema"].ok is False
    assert "pointsman db upgrade" in findings["schema"].lines[0]
    assert [name for name, each in findings.items() if each.ok is None] == REST[1:]


async def test_another_number_of_partitions_is_told_and_none_is_not_known(
    migrated_url: str,
) -> None:
    assert (await found(migrated_url))["partition-count"].ok is None
    async with open_database(migrated_url) as database:
        await record_partitions(database, 7)
    count = (await found(migrated_url))["partition-count"]
    assert (count.ok, count.details) == (False, {"recorded": 7, "set": 2})
    assert "POINTSMAN_PARTITIONS to 7" in count.lines[0]


async def test_a_table_that_is_missing_is_told_beside_the_rest(migrated_url: str) -> None:
    await change(migrated_url, "ALTER TABLE artifact RENAME TO away")
    findings = await found(migrated_url)
    assert findings["tables"].ok is False
    assert "artifact" in findings["tables"].lines[0]
    assert findings["dead-letters"].ok


async def test_open_letters_are_counted_by_reason(migrated_url: str) -> None:
    async with open_database(migrated_url) as database, database.session() as session:
        session.keep_letters(
            [
                letter("1"),
                letter("2"),
                letter("3", reason="invalid"),
                letter("4", reason="undelivered", status=LetterStatus.ANSWERED),
            ]
        )
    letters = (await found(migrated_url))["dead-letters"]
    assert letters.ok
    assert letters.details == {"open": {"rule-error": 2, "invalid": 1}, "replaying": {}}
    assert letters.lines == ("open: 2 rule-error, 1 invalid; see 'pointsman dead-letters groups'",)
