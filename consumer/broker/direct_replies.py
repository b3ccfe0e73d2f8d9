"""Answers to direct reply-to, RabbitMQ's pseudo-queues, kept away from all other publishing.

A producer chooses what it asks to be answered to, and a name of this kind that the broker can't
make sense of ends the publishing connection with an internal error, on 3.10 even a well-formed one
of a node that is no more; on 4.0 some names hold up the channel while the broker looks for a node
(all of it tried). So names are checked for the form that brokers give them, and what passes goes by
a connection that may be lost over it.
"""

import asyncio
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable, Sequence

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection
from consumer.broker.encoding import DIRECT_REPLY
from consumer.broker.errors import BrokerFailed
from consumer.broker.lasting_publisher import LastingPublisher
from consumer.broker.messages import Outgoing
from consumer.broker.publisher import PUBLISH_SECONDS, Publisher

# An Erlang process id in the external term format: a node that is called reply@ and a hash, then
# id, serial and creation. Behind it is the consumer's key, both of them in base 64.
_NAME = re.compile(re.escape(DIRECT_REPLY) + r"\.([A-Za-z0-9+/]+={0,2})\.[A-Za-z0-9+/]+={0,2}")
_PROCESS_ID = re.compile(rb"\x83Xv\x00.reply@[0-9]{1,10}.{12}", re.DOTALL)
_NODE_LENGTH_AT = 4
_BEHIND_NODE = 12


def is_direct_reply(message: Outgoing) -> bool:
    """Whether the message goes to a pseudo-queue of direct reply-to, whatever it is worth."""
    return message.exchange == "" and message.routing_key.startswith(DIRECT_REPLY)


def is_well_formed(name: str) -> bool:
    """Whether a broker could have given this name to a pseudo-queue."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        return False
    try:
        process_id = b64decode(parts[1], validate=True)
    except NotBase64:
        return False
    if _PROCESS_ID.fullmatch(process_id) is None:
        return False
    node_length = len(process_id) - _NODE_LENGTH_AT - 1 - _BEHIND_NODE
    return process_id[_NODE_LENGTH_AT] == node_length


class DirectReplies:
    """Publishes direct replies on a connection of its own, opened when there is one to publish."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[BrokerConnection]],
        *,
        seconds: float = PUBLISH_SECONDS,
    ) -> None:
        self._connect = connect
        self._seconds = seconds
        self._connection: BrokerConnection | None = None
        self._publisher: Publisher | None = None
        self._turn = asyncio.Lock()  # a connection that fails is closed for all that use it

    @property
    def blocked(self) -> str | None:
        """Why the broker lets nothing be published at present, None where it does."""
        if self._publisher is None or self._connection is None or self._connection.loss is not None:
            return None
        return self._publisher.blocked

    async def publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish the replies; REFUSED are those over whose address the broker would fail.

        Raises:
            BrokerError: as when connecting and publishing.
        """
        sound = [message for message in messages if is_well_formed(message.routing_key)]
        async with self._turn:
            outcomes = iter(await self._publish(sound))
        return [
            next(outcomes) if is_well_formed(message.routing_key) else Outcome.REFUSED
            for message in messages
        ]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = self._publisher = None

    async def _publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        if not messages:
            return []
        try:
            return await (await self._opened()).publish(messages)
        except BrokerFailed:
            await self.close()
        if len(messages) == 1:
            return [Outcome.REFUSED]
        # One of them is to blame: halved until it is alone, the others get through.
        half = len(messages) // 2
        return await self._publish(messages[:half]) + await self._publish(messages[half:])

    async def _opened(self) -> Publisher:
        if self._publisher is None or self._connection is None or self._connection.loss is not None:
            await self.close()
            self._connection = await self._connect()
            self._publisher = await LastingPublisher.open(self._connection, seconds=self._seconds)
        return self._publisher


class AnswerPublisher:
    """A publisher of decisions, whose direct replies go their own way."""

    def __init__(self, publisher: Publisher, direct_replies: DirectReplies) -> None:
        self._publisher = publisher
        self._direct_replies = direct_replies

    @property
    def blocked(self) -> str | None:
        """Why the broker lets nothing be published at present, None where it does."""
        return self._publisher.blocked or self._direct_replies.blocked

    async def publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish the messages and tell what became of each, as ``Publisher.publish`` does."""
        direct = [message for message in messages if is_direct_reply(message)]
        if not direct:
            return await self._publisher.publish(messages)
        others = [message for message in messages if not is_direct_reply(message)]
        replied = iter(await self._direct_replies.publish(direct))
        published = iter(await self._publisher.publish(others))
        return [next(replied if is_direct_reply(message) else published) for message in messages]
