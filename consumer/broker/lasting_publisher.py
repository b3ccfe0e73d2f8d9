"""A publishing channel that no single message can end."""

import asyncio
from collections.abc import Sequence

import structlog
from typing_extensions import override

from consumer.broker.confirms import ConfirmTap, Outcome
from consumer.broker.connection import BrokerConnection
from consumer.broker.encoding import fitted
from consumer.broker.errors import ChannelClosedByBroker, UnsendableMessage
from consumer.broker.messages import Outgoing
from consumer.broker.publisher import Publisher

log = structlog.get_logger(__name__)

_PRECONDITION_FAILED = 406


class LastingPublisher(Publisher):
    """A publisher to which a message that can't be published is one that the broker refuses.

    The broker closes a channel over a message that is larger than its ``max_message_size``. The
    others then go by another channel, some of them twice. Headers that do not fit into a frame are
    left out.
    """

    def __init__(self, connection: BrokerConnection, seconds: float) -> None:
        super().__init__(connection, seconds)
        self._whole_turn = asyncio.Lock()

    @override
    async def publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Publish the messages in this order and wait for the broker's answer to each.

        Raises:
            UnsendableMessage: a message can't be put into AMQP even without its headers.
            PublishUnanswered: an answer is missing; the connection was dropped.
            ChannelClosedByBroker: an exchange does not exist or may not be published to.
            BrokerConnectionLost: the connection is gone; what was published is not known.
        """
        async with self._whole_turn:
            return await self._publish(messages)

    async def _publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        try:
            return await self._fitting(messages)
        except ChannelClosedByBroker as error:
            if error.code != _PRECONDITION_FAILED:
                raise
            refusal = error
        await self._reopen()
        if len(messages) == 1:
            log.warning("publish-refused", error=str(refusal), bytes=len(messages[0].body))
            return [Outcome.REFUSED]
        # One of them is to blame: halved until it is alone, the others get through.
        half = len(messages) // 2
        return await self._publish(messages[:half]) + await self._publish(messages[half:])

    async def _fitting(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        try:
            return await super().publish(messages)
        except UnsendableMessage as error:
            log.warning("headers-left-out", error=str(error))
        frame_max = self._connection.frame_max
        return await super().publish([fitted(message, frame_max) for message in messages])

    async def _reopen(self) -> None:
        await self._connection.close_channel(self._channel)
        self._tap = ConfirmTap(self._complete)
        self._published, self._failure = 0, None
        await self._open_channel()
