"""Whether the database is there, and whether it can be used for what batches do."""

from sqlalchemy import Table, false, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.database import Database
from persistence.schema import (
    ArtifactRow,
    BegunRow,
    CachedStateRow,
    ConcurrencyLimitRow,
    ConcurrencySlotRow,
    DeadLetterRow,
    DecisionRow,
    RunRow,
    RunStateRow,
    TopologyRow,
    table_of,
)

_WRITTEN = (
    RunRow,
    RunStateRow,
    ArtifactRow,
    DecisionRow,
    BegunRow,
    CachedStateRow,
    ConcurrencySlotRow,
    DeadLetterRow,
)
_KINDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
_LIMIT = table_of(ConcurrencyLimitRow)
_TOPOLOGY = table_of(TopologyRow)


async def answers(database: Database) -> None:
    """Ask the database something, and be content with any answer.

    Raises:
        DatabaseUnreachable: there is none.
        DBAPIError: the database failed.
    """
    async with database.reading() as connection:
        await connection.execute(select(1))


async def server_version(database: Database) -> str:
    """What kind of server it is, and which version, as it tells itself.

    Raises:
        DatabaseUnreachable: there is none.
    """
    async with database.reading() as connection:
        dialect = connection.dialect
        numbers = ".".join(map(str, dialect.server_version_info or ()))
        return f"{_KINDS.get(dialect.name, dialect.name)} {numbers}".strip()


async def can_be_used(database: Database) -> None:
    """Read and write in every table that batches do, though no row but one, which stays as it is.

    So a table or a right that is missing, a server that only reads and a full disk are found here
    rather than by a batch.

    Raises:
        DatabaseUnreachable: there is no database.
        DBAPIError: it can't be used as it stands.
    """
    async with database.writing() as connection:
        for row in _WRITTEN:
            await _touch(connection, table_of(row))
        await connection.execute(select(_LIMIT).where(false()))
        await connection.execute(update(_TOPOLOGY).values(value=_TOPOLOGY.c.value))


async def _touch(connection: AsyncConnection, table: Table) -> None:
    no_row = select(table).where(false())
    await connection.execute(insert(table).from_select(list(table.c), no_row))
