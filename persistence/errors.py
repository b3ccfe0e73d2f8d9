"""What goes wrong in storage, and what an error says about trying again."""

from sqlite3 import Error as SqliteError

from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, PendingRollbackError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class PersistenceError(Exception):
    """The root of this package's errors; the text is one line that says what to do."""


class InvalidDatabaseUrlError(PersistenceError):
    """The URL is not one of a database that Pointsman can use."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the database's URL can't be used: {reason};"
            " it must be like postgresql+asyncpg://user:password@host/database"
            " or sqlite+aiosqlite:///path"
        )


class DatabaseUnreachable(PersistenceError):  # noqa: N818  named for what it tells
    """The database can't be connected to, or it stopped answering."""

    def __init__(self, database: str, reason: str, remedy: str | None = None) -> None:
        help_ = remedy or "see that it runs and that POINTSMAN_DATABASE_URL is right"
        super().__init__(f"the database {database} can't be reached ({reason}); {help_}")
        self.database = database


class DatabaseInUse(PersistenceError):  # noqa: N818  named for what it tells
    """Another consumer works on the same SQLite file."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"another consumer works on {file}, and SQLite is for one at a time;"
            " stop that one, or let POINTSMAN_DATABASE_URL name a PostgreSQL"
        )
        self.file = file


class SchemaOutdated(PersistenceError):  # noqa: N818  named for what it tells
    """The schema is older than this version needs; ``current`` is None where there is none."""

    def __init__(self, current: str | None, expected: str) -> None:
        stands = "has no schema yet" if current is None else f"is at schema revision {current}"
        super().__init__(
            f"the database {stands}, but revision {expected} is needed: run 'pointsman db upgrade'"
        )
        self.current = current
        self.expected = expected


class SchemaUnknown(PersistenceError):  # noqa: N818  named for what it tells
    """The schema was made by a newer version of Pointsman."""

    def __init__(self, current: str, expected: str) -> None:
        super().__init__(
            f"the database is at schema revision {current}, which this version of Pointsman"
            f" does not know (its own is {expected}): install the newer version"
        )
        self.current = current
        self.expected = expected


class MigrationFailed(PersistenceError):  # noqa: N818  named for what it tells
    """The database refused a change of its schema."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the schema could not be changed ({reason.partition(chr(10))[0]});"
            " nothing was: see that the user may make and change tables"
        )


class PartitionsDiffer(PersistenceError):  # noqa: N818  named for what it tells
    """The topology was first declared with another number of partitions."""

    def __init__(self, recorded: int, wanted: int) -> None:
        super().__init__(
            f"the topology was declared with {recorded} partitions, but {wanted} are set:"
            f" set POINTSMAN_PARTITIONS to {recorded}"
        )
        self.recorded = recorded
        self.wanted = wanted


class NotDemandedError(PersistenceError):
    """A record was asked of a session that was not opened for it: a fault in the program."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the session was not opened for {what}")


class RuleSqlFailed(PersistenceError):  # noqa: N818  named for what it tells
    """What a user's rule left in its ``AsyncSession`` could not be written."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"the SQL of a rule failed when it was written: {error}")


class RunChangedMeanwhile(PersistenceError):  # noqa: N818  named for what it tells
    """A run that was read without a lock was changed here and elsewhere; it passes."""

    def __init__(self) -> None:
        super().__init__("a run was changed by another transaction meanwhile; try again")


_STATEMENT_TIMED_OUT = "57014"
_TRANSIENT_STATES = frozenset(
    {
        "40001",  # serialization failure
        "40P01",  # deadlock
        "55P03",  # lock time-out
        _STATEMENT_TIMED_OUT,
    }
)
_DUPLICATE_STATE = "23505"
_REFUSED_CLASSES = frozenset(
    {
        "22",  # a value that the column can't hold
        "23",  # a constraint
        "25",  # a transaction that a rule's SQL has spoilt, which the rule has hidden
        "54",  # a limit of the server's: a row too long for an index, an expression too deep
    }
)
_LOST_CLASSES = frozenset(
    {
        "08",  # connection failures
        "53",  # no disk, memory or connections left
        "57",  # the server shuts down or starts, or has ended the session
        "58",  # errors of the server's system
    }
)
_LIMITED_STATES = frozenset(
    {
        "53400",  # more temporary files than are permitted, say: a limit that is set, not met
    }
)
_LOST_STATES = frozenset(
    {
        "25006",  # read-only: a standby, not yet or no longer the primary
        "25P03",  # the session was idle in its transaction for too long
        "25P04",  # the transaction took too long
    }
)
_CONNECTION_WAS_LOST = "8s2b"
"""SQLAlchemy's code where a lost connection is used on, its first error having been hidden."""

_SQLITE_PRIMARY = 0xFF
_SQLITE_PASSING = frozenset({5, 6})  # BUSY, LOCKED
_SQLITE_UNIQUE = frozenset({1555, 2067})  # a primary key, a unique constraint
_SQLITE_LOST = frozenset({8, 10, 13, 14})  # READONLY, IOERR, FULL, CANTOPEN
_SQLITE_REFUSED = frozenset({18, 19, 20})  # TOOBIG, CONSTRAINT, MISMATCH


def is_transient(error: BaseException) -> bool:
    """Whether the transaction need only be repeated: another one was in its way."""
    if isinstance(error, RunChangedMeanwhile | PoolTimeoutError):
        return True
    if isinstance(
        getattr(error, "orig", None), AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError
    ):
        return True  # a migration has overtaken a prepared statement; it is prepared anew
    code = _sqlite_code(error)
    if code is not None:
        return code & _SQLITE_PRIMARY in _SQLITE_PASSING
    return _sqlstate(error) in _TRANSIENT_STATES


def has_timed_out(error: BaseException) -> bool:
    """Whether a statement took longer than statements may; repeated by itself, that passes."""
    return _sqlstate(error) == _STATEMENT_TIMED_OUT


def is_duplicate(error: BaseException) -> bool:
    """Whether a row was there already: of Pointsman's own rows, another transaction was first."""
    return _sqlite_code(error) in _SQLITE_UNIQUE or _sqlstate(error) == _DUPLICATE_STATE


def is_lost(error: BaseException) -> bool:
    """Whether the database is away, or can't write anything: it is to be waited for."""
    if isinstance(error, DatabaseUnreachable):
        return True
    if isinstance(error, PendingRollbackError):
        return error.code == _CONNECTION_WAS_LOST
    if not isinstance(error, DBAPIError) or is_transient(error):
        return False
    if error.connection_invalidated:
        return True
    code = _sqlite_code(error)
    if code is not None:
        return code & _SQLITE_PRIMARY in _SQLITE_LOST
    state = _sqlstate(error) or ""
    return state in _LOST_STATES or (state[:2] in _LOST_CLASSES and state not in _LIMITED_STATES)


def is_unusable(error: BaseException) -> bool:
    """Whether the database can't be used as it stands: a missing table, say, or a missing right.

    Of Pointsman's own statements that is no message's fault, and to be waited for too.
    """
    if not isinstance(error, DBAPIError) or is_transient(error) or is_lost(error):
        return False
    code = _sqlite_code(error)
    if code is not None:
        return code & _SQLITE_PRIMARY not in _SQLITE_REFUSED
    state = _sqlstate(error)
    return state is not None and state[:2] not in _REFUSED_CLASSES


def is_refused(error: BaseException) -> bool:
    """Whether the database would refuse the same write again."""
    return (
        isinstance(error, StatementError | UnicodeError | OverflowError)
        and not is_transient(error)
        and not is_lost(error)
        and not is_unusable(error)
        and not is_duplicate(error)
    )


def _sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five characters, which the driver's adapter keeps."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state if isinstance(state, str) else None


def _sqlite_code(error: BaseException) -> int | None:
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlite_errorcode", None) if isinstance(cause, SqliteError) else None
