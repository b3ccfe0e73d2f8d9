"""A subscriber of the demo's own, to all decisions and to the dead letters."""

from typing import NoReturn, Self

from consumer.broker.connection import BrokerConnection
from consumer.broker.intake import Intake, Source
from consumer.demo.journal import Journal
from consumer.topology.names import DEAD_LETTERS, DECISIONS

_PREFETCH = 200
_ALL = "#"


class Subscription:
    """An exclusive queue, named by the broker, that ends with its connection."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @classmethod
    async def open(cls, connection: BrokerConnection) -> Self:
        """Subscribe; the exchanges must be there."""
        async with connection.channel() as channel:
            name = str((await channel.queue_declare(exclusive=True)).queue)
            await channel.queue_bind(name, DECISIONS, _ALL)
            await channel.queue_bind(name, DEAD_LETTERS)
        return cls(await Intake.open(connection, [Source(name)], prefetch=_PREFETCH))

    async def serve(self, journal: Journal) -> NoReturn:
        """Note what comes, without end.

        Raises:
            BrokerConnectionLost: the connection is gone, and the queue with it.
        """
        while True:
            batch = await self._intake.next_batch(_PREFETCH)
            for delivery in batch:
                if delivery.exchange == DEAD_LETTERS:
                    journal.receive_letter(delivery)
                else:
                    journal.receive(delivery)
            await self._intake.settle(batch)
