"""The options that a database's URL may have after its ``?``.

A driver that is given another one fails as if the program were at fault, or ignores it.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import URL

from persistence.errors import InvalidDatabaseUrlError

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSIONS = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")


def _is_text(value: str) -> bool:
    return bool(value)


def _is_size(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _is_place(value: str) -> bool:
    """A host as SQLAlchemy reads it, with a port where that is not the one of the URL."""
    port = value.rpartition("]")[2].partition(":")[2]
    return bool(value) and (not port or _is_size(port))


# Of what asyncpg and SQLAlchemy's dialect for it take, all that is text or becomes so.
_POSTGRESQL: Mapping[str, Callable[[str], bool]] = {
    "gsslib": _is_text,
    "host": _is_place,
    "krbsrvname": _is_text,
    "passfile": _is_text,
    "password": _is_text,
    "port": _is_size,
    "prepared_statement_cache_size": _is_size,
    "ssl": _SSL_MODES.__contains__,
    "target_session_attrs": _SESSIONS.__contains__,
    "user": _is_text,
}
_REPEATED = frozenset({"host", "port"})


def check_options(url: URL) -> None:
    """See that the driver takes each option; SQLite's takes none.

    Raises:
        InvalidDatabaseUrlError: one is unknown, or has a value that can't be used; the text names
            the option, and never its value.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    known = {} if is_sqlite else _POSTGRESQL
    for name, values in url.normalized_query.items():
        if name not in known:
            which = ", ".join(sorted(known)) or "none"
            raise InvalidDatabaseUrlError(
                f"it has the unknown option {name!r} (there {'is' if is_sqlite else 'are'} {which})"
            )
        if not _fits(name, values):
            raise InvalidDatabaseUrlError(f"its option {name!r} has a value that can't be used")


def _fits(name: str, values: Sequence[str]) -> bool:
    if len(values) > 1 and name not in _REPEATED:
        return False
    return all(map(_POSTGRESQL[name], values))
