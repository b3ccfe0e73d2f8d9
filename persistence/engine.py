"""Engines for PostgreSQL and SQLite, with their time limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import URL, Connection, Engine, ExceptionContext, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from persistence.address import DatabaseAddress, check_files, tls_arguments
from persistence.errors import DatabaseUnreachable, InvalidDatabaseUrlError
from persistence.url_options import check_options

READING = "pointsman_reading"
"""The execution option of a connection that only reads: SQLite then takes no lock for writing."""

_POSTGRESQL = "postgresql+asyncpg"
_SQLITE = "sqlite+aiosqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long the database may take, in seconds, before a statement or a transaction fails.

    ``answer_seconds`` is the client's own limit on each statement, for a server that stands still
    and can't keep its own; ``busy_seconds`` is how long SQLite waits for another writer.
    """

    connect_seconds: float = 10
    lock_seconds: float = 5
    statement_seconds: float = 20
    answer_seconds: float = 25
    idle_in_transaction_seconds: float = 60
    busy_seconds: float = 10


DEFAULT_TIME_LIMITS = TimeLimits()

_BY_INDEX = MappingProxyType(
    {
        "enable_seqscan": "off",
        # A scan that can't be done without counts as so dear that its statement would be compiled.
        "jit": "off",
    }
)
_NO_PLANNING: Mapping[str, str] = MappingProxyType({})


def database_url(url: str) -> URL:
    """The URL, checked.

    Raises:
        InvalidDatabaseUrlError: it is none of PostgreSQL with asyncpg or SQLite with aiosqlite,
            names no database, or has an option that the driver doesn't take.
    """
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidDatabaseUrlError("it can't be read") from None
    if made.drivername not in (_POSTGRESQL, _SQLITE):
        raise InvalidDatabaseUrlError(f"it begins with {made.drivername!r}")
    if made.drivername == _SQLITE and made.database in (None, "", ":memory:"):
        raise InvalidDatabaseUrlError("it names no file")
    if made.drivername == _SQLITE and (made.username or made.password or made.host or made.port):
        raise InvalidDatabaseUrlError("it names a host, which SQLite has none of")
    if "@" in (made.host or ""):  # it would be told as a part of the host
        raise InvalidDatabaseUrlError("its password has an '@', which must be written as %40")
    if not made.database:
        raise InvalidDatabaseUrlError("it names no database")
    check_options(made)
    return made


def check_tls(database: DatabaseAddress) -> None:
    """See that the files for TLS can be used with this database, where there are some.

    Raises:
        TlsSetupError: one can't, or has no effect.
        InvalidDatabaseUrlError: as of ``database_url``.
    """
    if database.tls.given:
        check_files(database_url(database.url), database.tls)


def shown(url: URL) -> str:
    """The URL without what may be secret in it."""
    place = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return place.render_as_string()


def open_engine(
    database: DatabaseAddress | str,
    limits: TimeLimits = DEFAULT_TIME_LIMITS,
    *,
    by_index: bool = False,
) -> AsyncEngine:
    """An engine; nothing is connected yet.

    With ``by_index`` PostgreSQL reads no table whole that has an index to go by: it keeps the plan
    of a statement that comes again and again, so that one made while a table was small would be
    carried out still when it has grown, until it is next analyzed.

    Raises:
        InvalidDatabaseUrlError: as of ``database_url``.
    """
    address = DatabaseAddress.of(database)
    made = database_url(address.url)
    try:
        if made.drivername == _SQLITE:
            return _sqlite(made, limits)
        planning = _BY_INDEX if by_index else _NO_PLANNING
        return _postgresql(made, limits, planning, tls_arguments(made, address.tls))
    except (ArgumentError, ValueError):  # hosts and ports that don't go together, say
        raise InvalidDatabaseUrlError("the driver doesn't take it") from None


def _postgresql(
    url: URL, limits: TimeLimits, planning: Mapping[str, str], arguments: dict[str, Any]
) -> AsyncEngine:
    server_settings = {
        **planning,
        "application_name": "pointsman",
        "lock_timeout": _milliseconds(limits.lock_seconds),
        "statement_timeout": _milliseconds(limits.statement_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_seconds),
        # A session whose client is gone without a word gives its locks back within a minute.
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    engine = _engine(
        url,
        connect_args={
            "server_settings": server_settings,
            "timeout": limits.connect_seconds,
            "command_timeout": limits.answer_seconds,
            **arguments,
        },
        isolation_level="READ COMMITTED",
    )
    event.listen(engine.sync_engine, "handle_error", _tell_silence)
    return engine


def _sqlite(url: URL, limits: TimeLimits) -> AsyncEngine:
    engine = _engine(url, connect_args={"timeout": limits.busy_seconds})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "invalidate", _roll_back_sqlite)
    return engine


def _engine(url: URL, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        json_serializer=_json_text,
        json_deserializer=from_json,
        hide_parameters=True,  # what runs produce has no place in a log
        **options,
    )


def _tell_silence(context: ExceptionContext) -> None:
    """A statement without an answer: the connection is of no use any more."""
    error = context.original_exception
    if isinstance(error, TimeoutError):
        context.is_disconnect = True
        place = "" if context.engine is None else shown(context.engine.url)
        raise DatabaseUnreachable(place, "it does not answer") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take SQLite's one lock for writing at the very beginning.

    Without row locks, two transactions that read first and write then would both find what only
    one of them may take.
    """
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _roll_back_sqlite(connection: Any, *_: object) -> None:
    """Give the lock back at once: a connection given up in a statement would go on holding it."""
    connection.rollback()


def _json_text(value: Any) -> str:
    return to_json(value).decode()


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1_000))


def is_sqlite(engine: AsyncEngine | Engine) -> bool:
    """Whether the engine's database is SQLite."""
    return engine.dialect.name == "sqlite"
