"""Changing the schema from one revision to another.

These functions run an event loop of their own: call them from where none runs, or from a thread.
"""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from persistence.address import DatabaseAddress
from persistence.database import open_database
from persistence.engine import TimeLimits, database_url, shown
from persistence.errors import DatabaseUnreachable, MigrationFailed
from persistence.revisions import EXPECTED_REVISION, check_known, current_revision

_A_DAY = 86_400.0
_PATIENT = TimeLimits(
    lock_seconds=60,
    statement_seconds=_A_DAY,
    answer_seconds=_A_DAY,
    idle_in_transaction_seconds=_A_DAY,
)
"""A migration may rewrite a large table, but must not wait for ever with all others behind it."""

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('pointsman migrations'))")


def migrations() -> Config:
    """Alembic's configuration, with the migrations that lie in this package."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    return config


def upgrade(database: DatabaseAddress | str, revision: str = "head") -> str | None:
    """Bring the schema up to a revision; a SQLite file and its folder are made where missing.

    Returns:
        The revision at which the schema then is.

    Raises:
        PersistenceError: the database can't be used or reached, is of a newer version, or refused
            a change; then nothing was changed.
    """
    address = DatabaseAddress.of(database)
    made = database_url(address.url)
    if made.drivername.startswith("sqlite") and made.database:
        try:
            Path(made.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnreachable(shown(made), f"no folder for it: {error.strerror}") from error
    return asyncio.run(_migrate(address, revision, back=False))


def downgrade(database: DatabaseAddress | str, revision: str = "base") -> str | None:
    """Take the schema back to a revision, or with ``base`` away; what it held is lost.

    Returns:
        The revision at which the schema then is, None where it is gone.

    Raises:
        PersistenceError: as of ``upgrade``.
    """
    return asyncio.run(_migrate(DatabaseAddress.of(database), revision, back=True))


def current(database: DatabaseAddress | str) -> str | None:
    """The revision at which the schema is, None where there is none."""
    return asyncio.run(_current(database))


def check(database: DatabaseAddress | str) -> str:
    """See that the database answers and has the schema that this version needs.

    Returns:
        The revision.

    Raises:
        PersistenceError: as of ``Database.check_schema``.
    """
    asyncio.run(_check(database))
    return EXPECTED_REVISION


async def _migrate(address: DatabaseAddress, revision: str, *, back: bool) -> str | None:
    async with open_database(address, _PATIENT) as database:
        try:
            async with database.writing() as connection:
                return await connection.run_sync(_run, revision, back)
        except DBAPIError as error:
            raise MigrationFailed(str(error.orig)) from error


def _run(connection: Connection, revision: str, back: bool) -> str | None:  # noqa: FBT001  run_sync passes by position
    if connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME)
    check_known(current_revision(connection))
    config = migrations()
    config.attributes["connection"] = connection
    (command.downgrade if back else command.upgrade)(config, revision)
    return current_revision(connection)


async def _current(address: DatabaseAddress | str) -> str | None:
    async with open_database(address) as database:
        return await database.revision()


async def _check(address: DatabaseAddress | str) -> None:
    async with open_database(address) as database:
        await database.check_schema()
