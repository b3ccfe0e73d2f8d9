"""A queue of one's own for the answers to what one asks."""

from typing import Self

from consumer.broker.connection import BrokerConnection
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery

_PREFETCH = 100


class ReplyQueue:
    """An exclusive queue, named by the broker (``amq.gen-…``), that ends with its connection."""

    def __init__(self, name: str, intake: Intake) -> None:
        self.name = name
        self._intake = intake

    @classmethod
    async def open(cls, connection: BrokerConnection) -> Self:
        """Make the queue and consume from it."""
        async with connection.channel() as channel:
            declared = await channel.queue_declare(exclusive=True)
        name = str(declared.queue)
        return cls(name, await Intake.open(connection, [Source(name)], prefetch=_PREFETCH))

    async def next(self) -> Delivery:
        """The next answer, waited for as long as it takes, and acknowledged.

        Raises:
            BrokerConnectionLost: the connection is gone, and the queue with it.
        """
        [reply] = await self._intake.next_batch(1)
        await self._intake.settle([reply])
        return reply
