"""A producer's client: send a request, get the decisions on it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

from pydantic_core import from_json, to_json

from consumer.broker.confirms import Outcome
from consumer.broker.connection import connect
from consumer.broker.errors import ChannelClosedByBroker
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.broker.replies import ReplyQueue
from consumer.errors import PointsmanError
from consumer.topology.names import REQUESTS, slot
from consumer.wire.names import JSON_CONTENT_TYPE, REQUEST_TYPE
from rules.identifiers import uuid7

_NOT_FOUND = 404


class NotSentError(PointsmanError):
    """The request did not reach a queue; the text says what to do."""


class Client:
    """Sends transition requests and receives the decisions on them.

    One reply queue serves all requests of a client; a decision is told by its ``request_id``.
    """

    def __init__(self, publisher: Publisher, replies: ReplyQueue) -> None:
        self._publisher = publisher
        self._replies = replies

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, name: str = "pointsman client") -> AsyncIterator[Self]:
        """A client for as long as the context lasts.

        Raises:
            BrokerUnreachable: nobody answers there.
            BrokerRefused: the broker refuses the user or the virtual host.
        """
        connection = await connect(url, name)
        try:
            yield cls(await Publisher.open(connection), await ReplyQueue.open(connection))
        finally:
            await connection.close()

    async def send(self, body: Mapping[str, Any], *, request_id: str | None = None) -> str:
        """Send one request and return its id.

        Args:
            body: as ``pointsman.request.v1`` has it; ids and times may be such objects.
            request_id: what makes it the same request when it is sent again; made where None.

        Raises:
            NotSentError: the exchange is missing, or the broker would not take the message.
            BrokerConnectionLost: there was no answer; send it again under the same id.
        """
        request_id = request_id or str(uuid7())
        message = Outgoing(
            exchange=REQUESTS,
            routing_key=_routing_key(body),
            body=to_json(body),
            properties=Properties(
                message_id=request_id,
                reply_to=self._replies.name,
                type=REQUEST_TYPE,
                content_type=JSON_CONTENT_TYPE,
            ),
        )
        try:
            [outcome] = await self._publisher.publish([message])
        except ChannelClosedByBroker as error:
            if error.code == _NOT_FOUND:
                raise NotSentError(
                    f"the broker has no exchange {REQUESTS!r}; run 'pointsman topology declare'"
                ) from error
            raise
        if outcome is not Outcome.CONFIRMED:
            raise NotSentError(f"the broker {outcome} the request; run 'pointsman topology check'")
        return request_id

    async def decision(self) -> dict[str, Any]:
        """The next decision on any of this client's requests, waited for without end."""
        reply = await self._replies.next()
        decision: dict[str, Any] = from_json(reply.body)
        return decision


def _routing_key(body: Mapping[str, Any]) -> str:
    """The run's slot; a body without a run goes where any consumer can refuse it."""
    try:
        return slot(UUID(str(body["run"]["id"])))
    except (KeyError, TypeError, ValueError):
        return ""
