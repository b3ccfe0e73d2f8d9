"""Revisions of the schema: the database's, and the one that this version needs.

A consumer looks at them when it starts, so that this does without Alembic, which takes a while to
import.
"""

from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from persistence.errors import SchemaOutdated, SchemaUnknown

REVISIONS: Final = ("0001", "0002")
"""Those of the migrations, the oldest first."""

EXPECTED_REVISION: Final = REVISIONS[-1]
"""The revision that this version of Pointsman needs."""

_TABLE = "alembic_version"
_CURRENT = select(table(_TABLE, column("version_num")))


def current_revision(connection: Connection) -> str | None:
    """The database's revision, None where it has no schema."""
    if not inspect(connection).has_table(_TABLE):
        return None
    current: str | None = connection.execute(_CURRENT).scalar()
    return current


def check_known(current: str | None) -> None:
    """See that a database's revision is one of this version's, or that it has none.

    Raises:
        SchemaUnknown: it is of a newer version.
    """
    if current is not None and current not in REVISIONS:
        raise SchemaUnknown(current, EXPECTED_REVISION)


def check_revision(current: str | None) -> None:
    """See that a database's revision is the expected one.

    Raises:
        SchemaOutdated: it is older, or there is none.
        SchemaUnknown: it is of a newer version.
    """
    if current != EXPECTED_REVISION:
        check_known(current)
        raise SchemaOutdated(current, EXPECTED_REVISION)
