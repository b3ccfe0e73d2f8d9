"""What stands on record about a test's requests."""

import asyncio
from collections.abc import Callable

from persistence.database import open_database
from tests.chaos.history import Rows
from tests.chaos.rows import read_rows
from tests.integration.processes import WAIT_SECONDS
from tests.integration.world import World


async def rows_of(world: World) -> Rows:
    """All that is on record."""
    async with open_database(world.database_url) as database:
        return await read_rows(database)


async def rows_when(world: World, holds: Callable[[Rows], bool]) -> Rows:
    """The same, once it is as the test says."""
    async with open_database(world.database_url) as database, asyncio.timeout(WAIT_SECONDS):
        while not holds(rows := await read_rows(database)):  # noqa: ASYNC110  nothing tells
            await asyncio.sleep(0.1)
        return rows
