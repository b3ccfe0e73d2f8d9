"""The concurrency limits that a story needs, for as long as it lasts."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from persistence.database import Database
from persistence.limits import delete_limit, set_limit


@asynccontextmanager
async def limits_set(database: Database, limits: Mapping[str, int]) -> AsyncIterator[None]:
    """Set the limits, and delete them at the end, so that a showing leaves none behind."""
    for tag, slots in limits.items():
        await set_limit(database, tag, slots)
    try:
        yield
    finally:
        for tag in limits:
            await delete_limit(database, tag)
