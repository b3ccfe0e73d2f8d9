"""Waiting until another transaction waits, on PostgreSQL."""

import asyncio

from sqlalchemy import text

from persistence.database import Database

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def until_one_waits(database: Database, number: int = 1) -> None:
    """Return when so many of the database's sessions wait for a lock."""
    async with asyncio.timeout(20):
        while True:
            async with database.reading() as connection:
                if (await connection.execute(_WAITING)).scalar_one() >= number:
                    return
