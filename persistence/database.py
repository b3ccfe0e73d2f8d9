"""A database: transactions on it, and whether its schema is the program's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence.demands import Demand
from persistence.engine import (
    DEFAULT_TIME_LIMITS,
    READING,
    TimeLimits,
    is_sqlite,
    open_engine,
    shown,
)
from persistence.errors import DatabaseUnreachable
from persistence.revisions import check_revision, current_revision
from persistence.session import Session


class Database:
    """Owns an engine; each transaction comes from here."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def session(self, demands: Sequence[Demand] = ()) -> AsyncIterator[Session]:
        """One transaction over a batch of requests.

        Left normally, all is written and committed at once; left by an error, nothing is.

        Raises:
            DatabaseUnreachable: there is no connection to be had.
            DBAPIError: a statement failed; ``persistence.errors`` tells what that means.
        """
        async with self.writing() as connection:
            session = await Session.open(connection, demands)
            yield session
            await session.finish()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is committed at the end."""
        async with self._connected() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that only reads."""
        async with self._connected() as connection:
            await connection.execution_options(**{READING: True})
            yield connection

    async def check_schema(self) -> None:
        """See that the database answers, and that its schema is what this version needs.

        Raises:
            DatabaseUnreachable: it doesn't answer.
            SchemaOutdated: it has no schema yet, or an old one.
            SchemaUnknown: it has a newer one.
        """
        check_revision(await self.revision())

    async def revision(self) -> str | None:
        """The schema's revision, None where there is no schema.

        Raises:
            DatabaseUnreachable: the database doesn't answer.
        """
        if _is_missing_file(self._engine):
            return None  # to look for a schema would leave an empty file behind
        async with self.reading() as connection:
            try:
                return await connection.run_sync(current_revision)
            except DBAPIError as error:
                raise DatabaseUnreachable(shown(self._engine.url), _reason(error)) from error

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except (OSError, DBAPIError, InterfaceError, PostgresError) as error:
                raise DatabaseUnreachable(shown(self._engine.url), _reason(error)) from error
            yield connection


@asynccontextmanager
async def open_database(
    url: str, limits: TimeLimits = DEFAULT_TIME_LIMITS
) -> AsyncIterator[Database]:
    """A database for as long as the block lasts; nothing is connected before it is needed.

    Raises:
        InvalidDatabaseUrlError: the URL is not one that Pointsman can use.
    """
    engine = open_engine(url, limits)
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


def _is_missing_file(engine: AsyncEngine) -> bool:
    return is_sqlite(engine) and not Path(engine.url.database or "").exists()


def _reason(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause).partition("\n")[0].strip()
    return text or type(cause).__name__
