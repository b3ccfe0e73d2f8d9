"""The contract's storage over real databases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from persistence.database import open_database
from persistence.migrating import upgrade
from tests.persistence.storage import DatabaseStorage


@asynccontextmanager
async def storage_at(url: str) -> AsyncIterator[DatabaseStorage]:
    """Storage over an empty database, which gets the schema."""
    await asyncio.to_thread(upgrade, url)
    async with open_database(url) as database:
        yield DatabaseStorage(database)
