"""Publishing with confirms: many messages in one write, one answer for each."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Self

from aiormq.abc import AbstractChannel

from consumer.broker.confirms import ConfirmTap, Outcome, Wave
from consumer.broker.connection import BrokerConnection
from consumer.broker.encoding import publish_frames
from consumer.broker.errors import BrokerConnectionLost, PublishUnanswered
from consumer.broker.messages import Outgoing

PUBLISH_SECONDS = 30.0


class Publisher:
    """A publishing channel, with a time limit in seconds on every answer of the broker.

    Calls follow one another. A call that ends without all its answers (the time is over, or it was
    cancelled) drops the connection, since what became of its messages can't be known any more.
    """

    def __init__(self, connection: BrokerConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._tap = ConfirmTap(self._complete)
        self._turn = asyncio.Lock()
        self._published = 0
        self._answered: asyncio.Future[None] | None = None
        self._failure: BrokerConnectionLost | None = None
        self._channel: AbstractChannel

    @classmethod
    async def open(cls, connection: BrokerConnection, *, seconds: float = PUBLISH_SECONDS) -> Self:
        """Open a channel of its own on the connection."""
        publisher = cls(connection, seconds)
        publisher._channel = await connection.open_channel(
            publisher._tap, publisher._fail, confirms=True
        )
        return publisher

    async def publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish the messages in this order and wait for the broker's answer to each.

        Messages with the same message id do not travel at the same time, since the broker tells a
        returned message by its id only: the later one waits for the earlier one's answer.

        Raises:
            UnsendableMessage: one of the messages can't be put into AMQP; none was sent.
            PublishUnanswered: an answer is missing; the connection was dropped.
            ChannelClosedByBroker: an exchange does not exist or may not be published to.
            BrokerConnectionLost: the connection is gone; what was published is not known.
        """
        frames = [
            publish_frames(message, self._channel.number, self._connection.frame_max)
            for message in messages
        ]
        outcomes: list[Outcome] = []
        async with self._turn:
            for start, end in _waves(messages):
                ids = [message.properties.message_id for message in messages[start:end]]
                outcomes += await self._send(ids, b"".join(frames[start:end]))
        return outcomes

    async def close(self) -> None:
        """Close the channel."""
        self._fail(BrokerConnectionLost("the publisher was closed"))
        await self._connection.close_channel(self._channel)

    async def _send(self, ids: Sequence[str | None], frames: bytes) -> list[Outcome]:
        if self._failure is not None:
            raise self._failure
        self._connection.write(frames)
        wave = Wave(self._published + 1, ids)
        self._published += len(ids)
        self._tap.watch(wave)
        self._answered = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._seconds):
                await self._answered
        except TimeoutError:
            reason = f"the broker did not answer a publish within {self._seconds:g} s"
            if self._connection.blocked is not None:
                reason += f": it blocks publishers ({self._connection.blocked})"
            self._connection.abort(reason)
            raise PublishUnanswered(reason) from None
        except asyncio.CancelledError:
            self._connection.abort("a publish was given up before it was answered")
            raise
        finally:
            self._tap.watch(None)
            self._answered = None
        return wave.outcomes

    def _complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _fail(self, failure: BrokerConnectionLost) -> None:
        if self._failure is None:
            self._failure = failure
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(failure)


def _waves(messages: Sequence[Outgoing]) -> Iterator[tuple[int, int]]:
    """Where to cut the messages so that no piece has a message id twice."""
    start = 0
    seen: set[str] = set()
    for place, message in enumerate(messages):
        message_id = message.properties.message_id
        if message_id is None:
            continue
        if message_id in seen:
            yield start, place
            start = place
            seen.clear()
        seen.add(message_id)
    if start < len(messages):
        yield start, len(messages)
