"""A producer's client: send a request, get the decisions on it.

It speaks through aio-pika as any producer could: there is no more to it than the contract on the
wire.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelNotFoundEntity,
    DeliveryError,
    ProbableAuthenticationError,
)
from pydantic_core import from_json, to_json
from yarl import URL

from consumer.broker.errors import BrokerConnectionLost, BrokerRefused, BrokerUnreachable
from consumer.errors import PointsmanError
from consumer.topology.names import REQUESTS, slot
from consumer.wire.names import JSON_CONTENT_TYPE, REQUEST_TYPE
from rules.identifiers import uuid7

_CONNECT_SECONDS = 10.0
_CONFIRM_SECONDS = 30.0


class NotSentError(PointsmanError):
    """The request did not reach a queue; the text says what to do."""


class Client:
    """Sends transition requests and receives the decisions on them.

    One reply queue serves all requests of a client; a decision is told by its ``request_id``.
    """

    def __init__(self, channel: AbstractChannel, reply_to: str) -> None:
        self._channel = channel
        self._reply_to = reply_to
        self._replies: asyncio.Queue[bytes | None] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, name: str = "pointsman client") -> AsyncIterator[Self]:
        """A client for as long as the context lasts.

        Raises:
            BrokerUnreachable: nobody answers there.
            BrokerRefused: the broker refuses the user or the virtual host.
        """
        connection = await _connect(url, name)
        try:
            # A channel each: the broker ends the one by which a request can't be published.
            publishing = await connection.channel(on_return_raises=True)
            receiving = await connection.channel()
            queue = await receiving.declare_queue(exclusive=True)
            client = cls(publishing, queue.name)
            connection.close_callbacks.add(client._lost)
            await queue.consume(client._received, no_ack=True)
            yield client
        finally:
            await connection.close()

    async def send(
        self,
        body: Mapping[str, Any],
        *,
        request_id: str | None = None,
        user_id: str | None = None,
    ) -> str:
        """Send one request and return its id.

        Args:
            body: as ``pointsman.request.v1`` has it; ids and times may be such objects.
            request_id: what makes it the same request when it is sent again; made where None.
            user_id: the user as whom the client is connected, for ``force``; the broker ends the
                connection over another's name.

        Raises:
            NotSentError: the exchange is missing, or the broker would not take the message.
            BrokerConnectionLost: there was no answer; send it again under the same id.
        """
        request_id = request_id or str(uuid7())
        message = aio_pika.Message(
            to_json(body),
            message_id=request_id,
            user_id=user_id,
            reply_to=self._reply_to,
            type=REQUEST_TYPE,
            content_type=JSON_CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        exchange = await self._channel.get_exchange(REQUESTS, ensure=False)
        try:
            await exchange.publish(message, _routing_key(body), timeout=_CONFIRM_SECONDS)
        except ChannelNotFoundEntity as error:
            raise NotSentError(
                f"the broker has no exchange {REQUESTS!r}; run 'pointsman topology declare'"
            ) from error
        except DeliveryError as error:
            raise NotSentError(
                "the broker would not take the request; run 'pointsman topology check'"
            ) from error
        except (AMQPError, OSError) as error:
            raise BrokerConnectionLost(f"the request was not confirmed: {error}") from error
        return request_id

    async def decision(self) -> dict[str, Any]:
        """The next decision on any of this client's requests, waited for without end.

        Raises:
            BrokerConnectionLost: the connection is gone, and the reply queue with it.
        """
        reply = await self._replies.get()
        if reply is None:
            raise BrokerConnectionLost("the connection is gone, and the reply queue with it")
        decision: dict[str, Any] = from_json(reply)
        return decision

    async def _received(self, message: AbstractIncomingMessage) -> None:
        self._replies.put_nowait(message.body)

    def _lost(self, *_: object) -> None:
        self._replies.put_nowait(None)


async def _connect(url: str, name: str) -> AbstractConnection:
    target = URL(url)
    place = f"{target.host}:{target.port or 'the standard port'}"
    try:
        return await aio_pika.connect(
            url, timeout=_CONNECT_SECONDS, client_properties={"connection_name": name}
        )
    except (AuthenticationError, ProbableAuthenticationError) as error:
        raise BrokerRefused(
            f"the broker at {place} refuses the user or the password;"
            " check them in POINTSMAN_AMQP_URL"
        ) from error
    except (AMQPError, OSError) as error:
        raise BrokerUnreachable(
            f"can't open a connection to the broker at {place}: {type(error).__name__};"
            " see that it runs and that POINTSMAN_AMQP_URL names it and its virtual host"
        ) from error


def _routing_key(body: Mapping[str, Any]) -> str:
    """The run's slot; a body without a run goes where any consumer can refuse it."""
    try:
        return slot(UUID(str(body["run"]["id"])))
    except (KeyError, TypeError, ValueError):
        return ""
