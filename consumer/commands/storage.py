"""The database as commands use it: opened, its schema checked, and its failures told in a line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from consumer.errors import PointsmanError
from consumer.settings import Settings
from persistence.database import Database, open_database
from persistence.errors import is_lost, is_transient


class DatabaseFailedError(PointsmanError):
    """The database did not do what a command asked of it; the text says whether to try again."""


@asynccontextmanager
async def opened_database() -> AsyncIterator[Database]:
    """The database that the settings name, with the schema that this version needs.

    Raises:
        SettingsError: a setting cannot be used.
        PersistenceError: it can't be reached, or its schema is another.
        DatabaseFailedError: a statement failed.
    """
    address = Settings.from_environment().database
    try:
        async with open_database(address) as database:
            await database.check_schema()
            yield database
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        raise DatabaseFailedError(f"{_what_to_do(error)} ({reason})") from error


def _what_to_do(error: DBAPIError) -> str:
    if is_lost(error):
        return "the database went away; see that it runs, then try again"
    if is_transient(error):
        return "another transaction held the database up for too long; try again"
    return "the database refused a statement; see that its user may read and write the tables"
