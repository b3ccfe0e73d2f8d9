"""Revisions of the schema: the database's, and the one that this version needs."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from persistence.errors import SchemaOutdated, SchemaUnknown


def migrations() -> Config:
    """Alembic's configuration, with the migrations that lie in this package."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    return config


@cache
def expected_revision() -> str:
    """The revision that this version of Pointsman needs."""
    head = ScriptDirectory.from_config(migrations()).get_current_head()
    if head is None:
        raise AssertionError("the package has no migrations")
    return head


def current_revision(connection: Connection) -> str | None:
    """The database's revision, None where it has no schema."""
    return MigrationContext.configure(connection).get_current_revision()


def check_known(current: str | None) -> None:
    """See that a database's revision is one of this version's, or that it has none.

    Raises:
        SchemaUnknown: it is of a newer version.
    """
    revisions = ScriptDirectory.from_config(migrations()).walk_revisions()
    if current is not None and current not in {revision.revision for revision in revisions}:
        raise SchemaUnknown(current, expected_revision())


def check_revision(current: str | None) -> None:
    """See that a database's revision is the expected one.

    Raises:
        SchemaOutdated: it is older, or there is none.
        SchemaUnknown: it is of a newer version.
    """
    if current != expected_revision():
        check_known(current)
        raise SchemaOutdated(current, expected_revision())
