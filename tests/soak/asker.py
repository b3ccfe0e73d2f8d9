"""A producer that asks for direct replies, over a client library's own connection."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, FieldValue
from aio_pika.exceptions import AMQPError
from yarl import URL

from consumer.broker.messages import Outgoing

_DIRECT = "amq.rabbitmq.reply-to"
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 10.0
_LOST = (
    AMQPError,
    OSError,
    RuntimeError,  # a channel was closed meanwhile
    StopAsyncIteration,  # the broker had hung up already
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Publishes what ``due`` gives every so many ``seconds``, to be answered directly.

    A direct reply may be lost with its connection; whoever counts on it asks again.
    """

    url: str
    seconds: float
    due: Callable[[], Sequence[Outgoing]]
    confirmed: Callable[[Outgoing], None]
    replied: Callable[[], None]

    async def run(self) -> None:
        """Ask until cancelled, whatever happens to the broker."""
        open_questions: list[Outgoing] = []
        while True:
            asking = asyncio.create_task(self._ask_until_lost(open_questions))
            try:
                # Not awaited itself: what the library cancels over a lost connection is no cancel.
                await asyncio.wait({asking})
            finally:
                asking.cancel()
            if not asking.cancelled():
                asking.result()
            await asyncio.sleep(self.seconds)

    async def _ask_until_lost(self, open_questions: list[Outgoing]) -> None:
        with suppress(*_LOST):
            await self._ask_on_a_connection(open_questions)

    async def _ask_on_a_connection(self, open_questions: list[Outgoing]) -> None:
        properties: dict[str, FieldValue] = {"connection_name": "soak asker"}
        async with aio_pika.Connection(URL(self.url), client_properties=properties) as connection:
            await connection.connect(timeout=_CONNECT_SECONDS)
            channel = await connection.channel()
            queue = await channel.get_queue(_DIRECT, ensure=False)
            await queue.consume(self._answered, no_ack=True)
            while True:
                open_questions += self.due()
                while open_questions:
                    await _publish(channel, open_questions[0])
                    self.confirmed(open_questions.pop(0))
                await asyncio.sleep(self.seconds)

    async def _answered(self, message: AbstractIncomingMessage) -> None:
        del message
        self.replied()


async def _publish(channel: AbstractChannel, question: Outgoing) -> None:
    exchange = await channel.get_exchange(question.exchange, ensure=False)
    message = aio_pika.Message(
        question.body,
        message_id=question.properties.message_id,
        correlation_id=question.properties.correlation_id,
        reply_to=_DIRECT,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await exchange.publish(message, question.routing_key, timeout=_ANSWER_SECONDS)
