"""The subscriber of all decisions, and of the replies."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerError
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery
from consumer.topology.names import DECISIONS
from tests.soak.steps import REPLIES

HEARD = "soak.decisions"
_QUORUM = {"x-queue-type": "quorum"}
_AGAIN_SECONDS = 0.5
_MANY = 500


async def make_queues(url: str) -> None:
    """Make the durable queues for decisions and replies, before anything is sent."""
    connection = await connect(url, "soak set-up")
    try:
        async with connection.channel() as channel:
            for name in (HEARD, REPLIES):
                await channel.queue_declare(name, durable=True, arguments={**_QUORUM})
            await channel.queue_bind(HEARD, DECISIONS, "#")
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Listener:
    """Hands over each decision and each reply, then acknowledges; what is lost comes again."""

    url: str
    heard: Callable[[Delivery], None]
    replied: Callable[[Delivery], None]

    async def run(self) -> None:
        """Listen until cancelled, whatever happens to the broker."""
        while True:
            connection: BrokerConnection | None = None
            try:
                connection = await connect(self.url, "soak listener")
                sources = [Source(HEARD, 0), Source(REPLIES, 1)]
                await self._listen_on(await Intake.open(connection, sources, prefetch=_MANY))
            except BrokerError:
                await asyncio.sleep(_AGAIN_SECONDS)
            finally:
                if connection is not None:
                    await connection.close()

    async def _listen_on(self, intake: Intake) -> None:
        while True:
            batch = await intake.next_batch(_MANY)
            for delivery in batch:
                (self.heard if delivery.exchange == DECISIONS else self.replied)(delivery)
            await intake.settle(batch)
