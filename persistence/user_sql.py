"""The SQL that users' own rules run inside a batch's transaction."""

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, AsyncTransaction

from persistence.errors import RuleSqlFailed, has_timed_out, is_lost, is_transient


@dataclass(slots=True)
class _Scope:
    """What one request has; that the request has ended is acted on with the next statement."""

    savepoint: AsyncTransaction
    session: AsyncSession
    has_ended: bool = False


class UserSql:
    """The ``AsyncSession`` of each request that asks for one, inside a savepoint of its own.

    Commits and rollbacks of the ``AsyncSession`` itself stay within the savepoint.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._scope: _Scope | None = None
        self.was_used = False

    @property
    def current(self) -> AsyncSession | None:
        """The present request's ``AsyncSession``, None where it has none yet."""
        scope = self._scope
        return None if scope is None or scope.has_ended else scope.session

    async def open(self) -> AsyncSession:
        """Open a savepoint for the present request, once the one before is released."""
        self.was_used = True
        savepoint = await self._connection.begin_nested()
        session = AsyncSession(
            bind=self._connection,
            join_transaction_mode="create_savepoint",
            expire_on_commit=False,
        )
        self._scope = _Scope(savepoint, session)
        return session

    def end(self) -> None:
        """Note that the request is over and what it did stays."""
        if self._scope is not None:
            self._scope.has_ended = True

    async def release(self) -> None:
        """Let stay what was done in the last savepoint.

        Raises:
            RuleSqlFailed: what the rule left to be written is refused.
        """
        scope, self._scope = self._scope, None
        if scope is None:
            return
        try:
            await scope.session.commit()
        except DBAPIError as error:
            passes = is_transient(error) and not has_timed_out(error)
            if passes or is_lost(error):
                raise
            raise RuleSqlFailed(error) from error
        await scope.session.close()
        await scope.savepoint.commit()

    async def roll_back(self) -> bool:
        """Take back what the present request did; whether it had a savepoint."""
        if self._scope is None or self._scope.has_ended:
            return False
        scope, self._scope = self._scope, None
        await scope.session.close()
        await scope.savepoint.rollback()
        return True
