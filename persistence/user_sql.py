"""The SQL that users' own rules run inside a batch's transaction."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, AsyncTransaction


class UserSql:
    """One request's ``AsyncSession``, inside a savepoint.

    That a request has ended is only noted when the next one begins, and acted on with the next
    statement. Commits and rollbacks of the ``AsyncSession`` itself stay within the savepoint.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._savepoint: AsyncTransaction | None = None
        self._session: AsyncSession | None = None
        self._has_ended = False
        self.was_used = False

    @property
    def is_open(self) -> bool:
        """Whether the present request has a savepoint."""
        return self._session is not None and not self._has_ended

    def end(self) -> None:
        """Note that the request is over and what it did stays."""
        self._has_ended = True

    @property
    def session(self) -> AsyncSession:
        """The present request's ``AsyncSession``."""
        if self._session is None:
            raise AssertionError("no savepoint is open")
        return self._session

    async def open(self) -> None:
        """Open a savepoint for the present request."""
        self.was_used = True
        self._has_ended = False
        self._savepoint = await self._connection.begin_nested()
        self._session = AsyncSession(
            bind=self._connection,
            join_transaction_mode="create_savepoint",
            expire_on_commit=False,
        )

    async def release(self, *, at_end: bool = False) -> None:
        """Let stay what an ended request did; at the end, what any did."""
        session, savepoint = self._session, self._savepoint
        if session is None or savepoint is None or not (self._has_ended or at_end):
            return
        self._session = self._savepoint = None
        await session.commit()
        await session.close()
        await savepoint.commit()

    async def roll_back(self) -> None:
        """Take back what the present request did."""
        session, savepoint = self._session, self._savepoint
        if session is None or savepoint is None:
            return
        self._session = self._savepoint = None
        await session.close()
        await savepoint.rollback()
