"""A consumer in the test's own process, whose patience a test may shorten."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from consumer.health.readiness import Obstacle, Readiness
from consumer.settings import Settings
from consumer.worker.process import build_consumer, build_statute
from deploy.servers import RabbitServer
from persistence.database import open_database
from persistence.engine import TimeLimits
from persistence.topology import record_partitions
from tests.integration.processes import WAIT_SECONDS
from tests.integration.world import World

_QUICK = TimeLimits(connect_seconds=2, lock_seconds=1, statement_seconds=2, answer_seconds=2)


@asynccontextmanager
async def impatient_consumer(world: World, *, seconds: float) -> AsyncIterator[Readiness]:
    """A consumer that holds messages through no pause longer than so many seconds."""
    settings = Settings.from_environment(**world.settings)
    stop = asyncio.Event()
    async with open_database(world.database_url, _QUICK) as database:
        await record_partitions(database, settings.partitions)
        consumer = build_consumer(settings, build_statute(settings), database)
        lookout = replace(consumer.lookout, seconds=seconds)
        running = asyncio.create_task(replace(consumer, lookout=lookout).run(stop))
        try:
            await until(lambda: lookout.readiness.is_ready)
            yield lookout.readiness
        finally:
            stop.set()
            await running


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110  what is waited for is a value
            await asyncio.sleep(0.05)


def waits_for(readiness: Readiness, obstacle: Obstacle) -> Callable[[], bool]:
    """Whether the consumer is kept from governing by this."""
    return lambda: obstacle in readiness.hindrances


async def given_back(broker: RabbitServer, vhost: str, messages: int) -> None:
    """Wait until so many messages wait in the partitions, and none is held by anyone."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await asyncio.to_thread(_partitions, broker, vhost) != (messages, 0):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def _partitions(broker: RabbitServer, vhost: str) -> tuple[int, int]:
    listing = broker.run_ctl(
        "list_queues", "--vhost", vhost, "name", "messages_ready", "messages_unacknowledged"
    )
    rows = [line.split("\t") for line in listing.splitlines()]
    counts = [(int(ready), int(held)) for name, ready, held in rows if ".requests." in name]
    return sum(ready for ready, _ in counts), sum(held for _, held in counts)
