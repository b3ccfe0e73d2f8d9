"""Publishing with confirms: many messages in one write, one answer for each."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Self

from aiormq.abc import AbstractChannel

from consumer.broker.confirms import ConfirmTap, Outcome, Wave
from consumer.broker.connection import BrokerConnection
from consumer.broker.encoding import body_frames, opening_frames
from consumer.broker.errors import BrokerConnectionLost, PublishUnanswered
from consumer.broker.messages import Outgoing

PUBLISH_SECONDS = 30.0

_WAVE_BYTES = 16 * 2**20


class Publisher:
    """A publishing channel, with a time limit in seconds on every answer of the broker.

    The limit does not run while the broker says that it blocks publishers: it will say when it
    goes on. Calls follow one another. A call that ends without all its answers (the time is over,
    or it was cancelled) drops the connection, since what became of its messages can't be known any
    more.
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
        await publisher._open_channel()
        return publisher

    @property
    def blocked(self) -> str | None:
        """Why the broker lets nothing be published at present, None where it does."""
        return self._connection.blocked

    async def publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish the messages in this order and wait for the broker's answer to each.

        Messages with the same message id do not travel at the same time, since the broker tells a
        returned message by its id only: the later one waits for the earlier one's answer. Nor do
        more than some MiB of bodies, so that the time limit is not one for all of them together.

        Raises:
            UnsendableMessage: one of the messages can't be put into AMQP; none was sent.
            PublishUnanswered: an answer is missing; the connection was dropped.
            ChannelClosedByBroker: an exchange does not exist or may not be published to.
            BrokerConnectionLost: the connection is gone; what was published is not known.
        """
        channel, frame_max = self._channel.number, self._connection.frame_max
        openings = [opening_frames(message, channel, frame_max) for message in messages]
        outcomes: list[Outcome] = []
        async with self._turn:
            for start, end in _waves(messages):
                ids = [message.properties.message_id for message in messages[start:end]]
                frames: list[bytes] = []
                for message, opening in zip(messages[start:end], openings[start:end], strict=True):
                    frames.append(opening)
                    frames.extend(body_frames(message.body, channel, frame_max))
                outcomes += await self._send(ids, b"".join(frames))
        return outcomes

    async def close(self) -> None:
        """Close the channel."""
        self._fail(BrokerConnectionLost("the publisher was closed"))
        await self._connection.close_channel(self._channel)

    async def _open_channel(self) -> None:
        self._channel = await self._connection.open_channel(self._tap, self._fail, confirms=True)

    async def _send(self, ids: Sequence[str | None], frames: bytes) -> list[Outcome]:
        if self._failure is not None:
            raise self._failure
        self._connection.write(frames)
        wave = Wave(self._published + 1, ids)
        self._published += len(ids)
        self._tap.watch(wave)
        self._answered = asyncio.get_running_loop().create_future()
        try:
            await self._in_time(self._answered)
        except TimeoutError:
            reason = f"the broker did not answer a publish within {self._seconds:g} s"
            self._connection.abort(reason)
            raise PublishUnanswered(reason) from None
        except asyncio.CancelledError:
            self._connection.abort("a publish was given up before it was answered")
            raise
        finally:
            self._tap.watch(None)
            self._answered = None
        return wave.outcomes

    async def _in_time(self, answered: asyncio.Future[None]) -> None:
        waits = True
        while waits:
            blocked_before = self.blocked is not None
            await asyncio.wait({answered}, timeout=self._seconds)
            if answered.done():
                return answered.result()
            waits = blocked_before or self.blocked is not None
        raise TimeoutError

    def _complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _fail(self, failure: BrokerConnectionLost) -> None:
        if self._failure is None:
            self._failure = failure
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(failure)


def _waves(messages: Sequence[Outgoing]) -> Iterator[tuple[int, int]]:
    """Where to cut the messages so that no piece has a message id twice, or too many bytes."""
    start, size = 0, 0
    seen: set[str] = set()
    for place, message in enumerate(messages):
        message_id, length = message.properties.message_id, len(message.body)
        if message_id in seen or (size > 0 and size + length > _WAVE_BYTES):
            yield start, place
            start, size = place, 0
            seen.clear()
        size += length
        if message_id is not None:
            seen.add(message_id)
    if start < len(messages):
        yield start, len(messages)
