"""Deliveries from one or more queues, as one stream of batches."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from typing import Self

from aiormq.abc import AbstractChannel, DeliveredMessage

from consumer.broker.connection import BrokerConnection
from consumer.broker.deliveries import DeliveryTap
from consumer.broker.errors import BrokerConnectionLost
from consumer.broker.frames import FrameType, frame
from consumer.broker.ledger import Ledger
from consumer.broker.messages import Delivery
from consumer.broker.translation import broker_errors

_ACK = Struct(">HHQB")
_MULTIPLE = 1


@dataclass(frozen=True, slots=True)
class Source:
    """A queue to consume from; ``partition`` is None where it is no partition's."""

    queue: str
    partition: int | None = None


class Intake:
    """A subscription to some queues, each on a channel of its own, acknowledged by hand.

    Once anything of it is lost (the connection, a channel, a consumer) all of it is dead: every
    call raises ``BrokerConnectionLost``, and what was not acknowledged comes again elsewhere.
    A delivery is settled by the intake that it came from.
    """

    def __init__(self, connection: BrokerConnection) -> None:
        self._connection = connection
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._channels: dict[int | None, AbstractChannel] = {}
        self._ledgers: dict[int | None, Ledger] = {}
        self._failure: BrokerConnectionLost | None = None

    @classmethod
    async def open(
        cls, connection: BrokerConnection, sources: Iterable[Source], *, prefetch: int
    ) -> Self:
        """Subscribe to the sources, each of another partition.

        Of each there are at most ``prefetch`` deliveries that are not acknowledged.
        """
        intake = cls(connection)
        try:
            for source in sources:
                await intake._subscribe(source, prefetch)
        except BaseException:
            await intake.close()
            raise
        return intake

    async def next_batch(self, limit: int) -> list[Delivery]:
        """What is there, at most so many, in the order in which it came; waits for at least one.

        The wait may be cancelled; nothing is lost by that.
        """
        await self.arrival()
        return self.take(limit)

    async def arrival(self) -> None:
        """Wait until something is there to be taken, or the intake is dead; nothing is taken."""
        while not self._waiting and self._failure is None:
            self._arrived.clear()
            await self._arrived.wait()

    def take(self, limit: int) -> list[Delivery]:
        """What is there at this moment, at most so many, in the order in which it came."""
        self._check()
        take = self._waiting.popleft
        return [take() for _ in range(min(limit, len(self._waiting)))]

    async def settle(self, deliveries: Iterable[Delivery]) -> None:
        """Mark deliveries as done with, and acknowledge as far as all before them are done with."""
        self._check()
        tags: dict[int | None, list[int]] = {}
        for delivery in deliveries:
            tags.setdefault(delivery.partition, []).append(delivery.tag)
        acks = b""
        for partition, settled in tags.items():
            reached = self._ledgers[partition].settle(settled)
            if reached is not None:
                method = _ACK.pack(60, 80, reached, _MULTIPLE)
                acks += frame(FrameType.METHOD, self._channels[partition].number, method)
        if acks:
            self._connection.write(acks)

    async def close(self) -> None:
        """Close the channels, so that the broker takes back all that is not acknowledged, in order.

        Consumers are not cancelled first: what they hold would come back out of order.
        """
        self._fail(BrokerConnectionLost("the intake was closed"))
        await asyncio.gather(
            *(self._connection.close_channel(channel) for channel in self._channels.values())
        )

    async def _subscribe(self, source: Source, prefetch: int) -> None:
        tap = DeliveryTap(self._deliver, source.partition)
        channel = await self._connection.open_channel(tap, self._fail)
        self._channels[source.partition] = channel
        self._ledgers[source.partition] = Ledger()
        with broker_errors():
            await channel.basic_qos(prefetch_count=prefetch)
            await channel.basic_consume(source.queue, _unreached)

    def _deliver(self, delivery: Delivery) -> None:
        self._waiting.append(delivery)
        self._arrived.set()

    def _fail(self, failure: BrokerConnectionLost) -> None:
        if self._failure is None:
            self._failure = failure
        self._waiting.clear()
        self._arrived.set()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


async def _unreached(message: DeliveredMessage) -> None:
    raise AssertionError(f"the tap let a delivery pass: {message}")
