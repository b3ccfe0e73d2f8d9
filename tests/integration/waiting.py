"""What waits in the partitions."""

import asyncio

from consumer.broker.connection import connect
from consumer.topology.names import partition_queue
from tests.integration.processes import WAIT_SECONDS
from tests.integration.world import PARTITIONS, World


async def until_left(world: World, count: int) -> None:
    """Wait until just so many messages wait to be taken: a broker says so to nobody by itself.

    It takes back what a consumer held a moment after that has ended.
    """
    async with asyncio.timeout(WAIT_SECONDS):
        while await _left(world) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _left(world: World) -> int:
    connection = await connect(world.amqp_url, "test counting")
    async with connection.channel() as channel:
        told = [
            await channel.queue_declare(partition_queue(partition), passive=True)
            for partition in range(PARTITIONS)
        ]
    await connection.close()
    return sum(int(each.message_count or 0) for each in told)
