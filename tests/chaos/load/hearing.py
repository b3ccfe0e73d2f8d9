"""Subscribers: what they hear is noted, and then acknowledged."""

import asyncio
import time
from collections.abc import Callable, Mapping

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pamqp.common import FieldTable

from consumer.topology.names import DECISIONS
from tests.chaos.history import EVERYTHING, Heard
from tests.chaos.load.channels import LOST, SECONDS_BETWEEN_TRIES, channel

REPLY_QUEUES = ("pointsman.replies.chaos.0", "pointsman.replies.chaos.1")
EVERYTHING_QUEUE = "chaos.everything"
STARTS_QUEUE = "chaos.starts"
STARTS = "starts"

SUBSCRIPTIONS: Mapping[str, str] = {
    EVERYTHING_QUEUE: EVERYTHING,
    STARTS_QUEUE: STARTS,
    **{name: name for name in REPLY_QUEUES},
}
"""What the history calls what is heard from each queue."""

_BINDINGS = {EVERYTHING_QUEUE: "#", STARTS_QUEUE: "task.accept.running.*"}
# However often a connection is lost: without a limit named, RabbitMQ 4 takes 20.
_ARGUMENTS: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": 2**31 - 1}
_PREFETCH = 200


async def declare_subscriptions(url: str) -> None:
    """Make the queues, which are to hear everything from the start and to survive all."""
    async with channel(url, "subscriptions") as opened:
        for name in SUBSCRIPTIONS:
            queue = await opened.declare_queue(name, durable=True, arguments=_ARGUMENTS)
            if name in _BINDINGS:
                await queue.bind(DECISIONS, _BINDINGS[name])


class Subscriber:
    """Reads one queue for ever, whatever happens to its connection."""

    def __init__(self, url: str, queue: str, note: Callable[[Heard], None]) -> None:
        self._url = url
        self._queue = queue
        self._note = note

    async def run(self) -> None:
        while True:
            try:
                async with channel(self._url, f"subscriber {self._queue}") as opened:
                    await self._listen(opened)
            except LOST:
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)

    async def _listen(self, opened: AbstractChannel) -> None:
        await opened.set_qos(_PREFETCH)
        queue = await opened.get_queue(self._queue, ensure=False)
        ended = asyncio.Event()
        opened.close_callbacks.add(lambda *_: ended.set())
        await queue.consume(self._heard)
        await ended.wait()

    async def _heard(self, message: AbstractIncomingMessage) -> None:
        self._note(
            Heard(
                subscription=SUBSCRIPTIONS[self._queue],
                routing_key=message.routing_key or "",
                message_id=message.message_id or "",
                correlation_id=message.correlation_id,
                body=message.body,
                at=time.monotonic(),
            )
        )
        await message.ack()
