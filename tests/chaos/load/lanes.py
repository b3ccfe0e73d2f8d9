"""Producers that publish in order, and again what was not confirmed."""

import asyncio
from collections.abc import Sequence

import aio_pika
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import DeliveryError

from consumer.topology.names import REQUESTS
from consumer.wire.names import JSON_CONTENT_TYPE, REQUEST_TYPE
from tests.chaos.load.channels import LOST, SECONDS_BETWEEN_TRIES, channel
from tests.chaos.load.items import Item, Outbox

_WINDOW = 10
_CONFIRM_SECONDS = 15.0


class Lane:
    """One producer with one channel at a time.

    It publishes in the order in which it was given its items, a window of them at once. When the
    connection is lost, what was not confirmed goes first on the next one, in the same order: so
    the order of first copies holds over connections.
    """

    def __init__(self, number: int, url: str, outbox: Outbox) -> None:
        self.number = number
        self._url = url
        self._outbox = outbox
        self._given: asyncio.Queue[Item] = asyncio.Queue()
        self._unconfirmed: list[Item] = []
        self._positions = 0

    @property
    def waiting(self) -> int:
        """How many items are not confirmed yet."""
        return self._given.qsize() + len(self._unconfirmed)

    def give(self, item: Item) -> None:
        """Publish the item after all that was given before; given again, it is a copy."""
        self._given.put_nowait(item)

    async def drained(self) -> None:
        """Wait until all that was given is confirmed."""
        await self._given.join()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            try:
                async with channel(self._url, f"producer {self.number}") as opened:
                    exchange = await opened.get_exchange(REQUESTS, ensure=False)
                    await self._publish_on(exchange)
            except LOST:
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)

    async def _publish_on(self, exchange: AbstractExchange) -> None:
        while True:
            if not self._unconfirmed:
                self._unconfirmed.append(await self._given.get())
                while len(self._unconfirmed) < _WINDOW and not self._given.empty():
                    self._unconfirmed.append(self._given.get_nowait())
            await self._publish(exchange, self._unconfirmed)

    async def _publish(self, exchange: AbstractExchange, items: Sequence[Item]) -> None:
        for item in items:
            self._place(item)
        # Tasks take their turns at the channel in the order in which they are made.
        answers = await asyncio.gather(
            *(_publish_one(exchange, item) for item in items), return_exceptions=True
        )
        lost = None
        left = []
        for item, answer in zip(items, answers, strict=True):
            if answer is None:
                item.confirmed = True
                self._given.task_done()
                continue
            left.append(item)
            if not isinstance(answer, DeliveryError):
                lost = answer
            elif not item.confirmed:
                item.position = -1  # refused: its place is where it is taken
        self._unconfirmed = left
        if lost is not None:
            raise ConnectionError("not all was answered") from lost

    def _place(self, item: Item) -> None:
        if item.copies == 0:
            self._outbox.note(item)
            item.lane = self.number
        if item.position < 0:
            item.position = self._positions
            self._positions += 1
        item.copies += 1


async def _publish_one(exchange: AbstractExchange, item: Item) -> None:
    message = aio_pika.Message(
        item.body,
        message_id=item.request_id,
        correlation_id=item.correlation_id,
        reply_to=item.reply_to,
        user_id=item.user_id,
        type=REQUEST_TYPE,
        content_type=JSON_CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await exchange.publish(message, item.routing_key, mandatory=False, timeout=_CONFIRM_SECONDS)
