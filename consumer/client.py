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
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractIncomingMessage,
    AbstractQueue,
)
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelNotFoundEntity,
    DeliveryError,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ChannelAccessRefused, InvalidFrameError
from pydantic_core import from_json, to_json

from consumer.broker.address import BrokerAddress
from consumer.broker.errors import BrokerConnectionLost, BrokerRefused
from consumer.broker.unreachable import prepared, silent, unreachable
from consumer.errors import PointsmanError
from consumer.topology.names import REQUESTS, slot
from consumer.wire.names import JSON_CONTENT_TYPE, REQUEST_TYPE
from rules.identifiers import uuid7
from rules.moments import utc_now

_CONNECT_SECONDS = 10.0
_CONFIRM_SECONDS = 30.0
_CLOSE = "Connection.Close"
"""The library tells of a close, but not why, where it had asked for something else."""


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
    async def connected(
        cls, broker: BrokerAddress | str, name: str = "pointsman client"
    ) -> AsyncIterator[Self]:
        """A client for as long as the context lasts.

        Raises:
            BrokerUnreachable: nobody answers there, or not by such TLS as the address asks for.
            BrokerRefused: the broker refuses the user or the virtual host.
        """
        connection = await _connect(BrokerAddress.of(broker), name)
        try:
            # A channel each: the broker ends the one by which a request can't be published.
            publishing = await connection.channel(on_return_raises=True)
            receiving = await connection.channel()
            queue = await _reply_queue(receiving)
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
            timestamp=utc_now(),
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


async def _reply_queue(channel: AbstractChannel) -> AbstractQueue:
    """An exclusive queue with a name that the broker chooses."""
    try:
        return await channel.declare_queue(exclusive=True)
    except ChannelAccessRefused as error:
        raise BrokerRefused(
            "the broker's user may not make a reply queue of its own;"
            " give it the permissions that docs/permissions.md has for producers"
        ) from error


async def _connect(address: BrokerAddress, name: str) -> AbstractConnection:
    target, tls = await prepared(address)
    connection = aio_pika.Connection(
        target, ssl_context=tls, client_properties={"connection_name": name}
    )
    try:
        await _open(connection)
    except TimeoutError:
        raise silent(address, _CONNECT_SECONDS) from None
    except (AMQPError, OSError) as error:
        raise unreachable(address, error, _refusal(error)) from error
    except StopAsyncIteration as error:  # the library's word for a peer that had hung up already
        hung_up = ConnectionResetError("the connection was closed before it was open")
        raise unreachable(address, hung_up, None) from error
    return connection


async def _open(connection: AbstractConnection) -> None:
    """Connect; one that can't is closed, lest it try to close itself when it is collected."""
    try:
        await connection.connect(timeout=_CONNECT_SECONDS)
    except BaseException:
        await connection.close()
        raise


def _refusal(error: Exception) -> str | None:
    """What the broker refuses, None where that is not what the error tells."""
    if isinstance(error, AuthenticationError):
        return "it takes no login of the kind that the URL has"
    if isinstance(error, ProbableAuthenticationError):
        return str(error)
    if isinstance(error, InvalidFrameError) and _CLOSE in str(error):
        return "it closed the connection where it should have opened it"
    return None


def _routing_key(body: Mapping[str, Any]) -> str:
    """The run's slot; a body without a run goes where any consumer can refuse it."""
    try:
        return slot(UUID(str(body["run"]["id"])))
    except (KeyError, TypeError, ValueError):
        return ""
