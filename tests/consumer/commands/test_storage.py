import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consumer.commands.storage import DatabaseFailedError, opened_database
from persistence.database import Database
from tests.consumer.commands.conftest import InDatabase, Invoke


class RefusedByServerError(Exception):
    """As the driver of PostgreSQL raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"the server says {sqlstate}\nand more")
        self.sqlstate = sqlstate


async def fail(sqlstate: str) -> None:
    async with opened_database():
        raise DBAPIError("SELECT 1", None, RefusedByServerError(sqlstate))


@pytest.mark.parametrize(
    ("sqlstate", "told"),
    [
        ("55P03", "another transaction held the database up for too long; try again"),
        ("57P01", "the database went away"),
        ("42501", "the database refused a statement"),
    ],
)
def test_a_failed_statement_is_told_in_one_line(
    invoke: Invoke, in_database: InDatabase, sqlstate: str, told: str
) -> None:
    del invoke, in_database
    with pytest.raises(DatabaseFailedError) as caught:
        asyncio.run(fail(sqlstate))
    assert str(caught.value).startswith(told)
    assert str(caught.value).endswith(f"(the server says {sqlstate})")


def test_a_table_that_is_gone_is_told_by_the_command(
    invoke: Invoke, in_database: InDatabase
) -> None:
    async def drop(database: Database) -> None:
        async with database.writing() as connection:
            await connection.execute(text("DROP TABLE concurrency_slot"))

    in_database(drop)
    result = invoke("limits", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert "no such table" in line


def test_a_database_without_its_schema_is_told(invoke: Invoke) -> None:
    result = invoke("limits", "list")
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert "pointsman db upgrade" in line
