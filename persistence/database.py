"""A database: transactions on it, and whether its schema is the program's."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence.address import DatabaseAddress
from persistence.demands import Demand
from persistence.engine import (
    DEFAULT_TIME_LIMITS,
    READING,
    TimeLimits,
    is_sqlite,
    open_engine,
    shown,
)
from persistence.revisions import check_revision, current_revision
from persistence.session import Session
from persistence.tls import TlsFiles
from persistence.unreachable import unreachable


class Database:
    """Owns an engine; each transaction comes from here."""

    def __init__(self, engine: AsyncEngine, tls: TlsFiles | None = None) -> None:
        self._engine = engine
        self._tls = tls or TlsFiles()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database, None for another."""
        return Path(self._engine.url.database or "") if is_sqlite(self._engine) else None

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
        if self.file is not None and not self.file.exists():
            return None  # to look for a schema would leave an empty file behind
        async with self.reading() as connection:
            with self.failures_told():
                return await connection.run_sync(current_revision)

    @contextmanager
    def failures_told(self) -> Iterator[None]:
        """For what must go well before there is any work: a statement's failure in a line.

        Raises:
            DatabaseUnreachable: a statement in the block failed.
        """
        try:
            yield
        except DBAPIError as error:
            raise unreachable(shown(self._engine.url), error, self._tls) from error

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except (OSError, DBAPIError, InterfaceError, PostgresError) as error:
                raise unreachable(shown(self._engine.url), error, self._tls) from error
            yield connection


@asynccontextmanager
async def open_database(
    database: DatabaseAddress | str,
    limits: TimeLimits = DEFAULT_TIME_LIMITS,
    *,
    by_index: bool = False,
) -> AsyncIterator[Database]:
    """A database for as long as the block lasts; nothing is connected before it is needed.

    ``by_index`` is for what is done again and again, as of ``persistence.engine.open_engine``.

    Raises:
        InvalidDatabaseUrlError: the URL is not one that Pointsman can use.
    """
    address = DatabaseAddress.of(database)
    engine = open_engine(address, limits, by_index=by_index)
    try:
        yield Database(engine, address.tls)
    finally:
        await engine.dispose()
