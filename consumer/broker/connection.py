"""One plain connection to the broker, which does not mend itself: its owner opens another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from aiormq import Connection
from aiormq.abc import AbstractChannel, ChannelFrame
from aiormq.exceptions import AMQPConnectionError, AMQPError
from yarl import URL

from consumer.broker.address import BrokerAddress
from consumer.broker.errors import BrokerConnectionLost
from consumer.broker.frames import FrameReader, Tap
from consumer.broker.state import ChannelWatch, ConnectionState
from consumer.broker.translation import broker_errors
from consumer.broker.transport import TappedTransport
from consumer.broker.unreachable import prepared, silent, unreachable

HEARTBEAT_SECONDS = 20

_CLOSE_SECONDS = 5.0
_FRAME_MAX = 131_072  # RabbitMQ's default, where a broker sets no limit
_CLOSED = "the connection was closed by us"


class _Library(Connection):
    """The client library's connection, with a write queue that never makes its writer wait.

    What we write is bounded by the prefetch, and many messages go into one entry.
    """

    FRAME_BUFFER_SIZE = 0


class BrokerConnection:
    """An open connection; made by ``connect``."""

    def __init__(
        self, library: Connection, transport: TappedTransport, state: ConnectionState
    ) -> None:
        self._library = library
        self._transport = transport
        self._state = state
        self._watchers: dict[int, Callable[[BrokerConnectionLost], None]] = {}
        state.loss.add_done_callback(self._tell_watchers)

    @property
    def blocked(self) -> str | None:
        """Why the broker lets us publish nothing at present, None where it does."""
        return self._state.blocked

    @property
    def loss(self) -> str | None:
        """Why the connection is gone, None while it stands."""
        return str(self._state.loss.result()) if self._state.loss.done() else None

    @property
    def broker_version(self) -> str:
        """The broker's version as it tells it."""
        return str(self._library.server_properties.get("version", "unknown"))

    @property
    def frame_max(self) -> int:
        """The most bytes that a frame may have."""
        return int(self._library.connection_tune.frame_max) or _FRAME_MAX

    async def lost(self) -> str:
        """Wait until the connection is gone, and tell why."""
        return str(await asyncio.shield(self._state.loss))

    def check(self) -> None:
        """Raise ``BrokerConnectionLost`` where the connection is gone."""
        if self._state.loss.done():
            raise self._state.loss.result()

    async def open_channel(
        self,
        tap: Tap,
        failed: Callable[[BrokerConnectionLost], None],
        *,
        confirms: bool = False,
    ) -> AbstractChannel:
        """Open a channel whose frames are shown to the tap.

        ``failed`` is told when the broker ends the channel or its consumer, or the connection goes.
        """
        channel = await self._open(confirms=confirms)
        self._transport.frames.tap(channel.number, ChannelWatch(tap, failed))
        self._watchers[channel.number] = failed
        return channel

    async def close_channel(self, channel: AbstractChannel) -> None:
        """Close the channel; what it had not acknowledged goes back to its queue.

        A broker that does not answer loses the connection, which comes to the same.
        """
        self._watchers.pop(channel.number, None)
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await channel.close()
        except TimeoutError:
            self.abort("the broker did not answer when a channel was closed")
        self._transport.frames.untap(channel.number)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """The library's own channel, for declaring things; errors in it are this package's."""
        channel = await self._open(confirms=False)
        with broker_errors():
            try:
                yield channel
            finally:
                await self.close_channel(channel)

    def write(self, frames: bytes) -> None:
        """Hand whole frames over to be written, in the order of the calls."""
        self.check()
        self._library.write_queue.put_nowait(ChannelFrame(payload=frames, should_close=False))

    async def close(self) -> None:
        """Take leave of the broker, or drop the connection where it does not answer."""
        self._state.end(_CLOSED)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._library.close(AMQPConnectionError(_CLOSED))
        self._transport.abort()

    def abort(self, reason: str) -> None:
        """Drop the connection at once; whoever waits on it is told the reason."""
        self._state.end(reason)
        self._transport.abort()

    def _tell_watchers(self, loss: asyncio.Future[BrokerConnectionLost]) -> None:
        for failed in self._watchers.values():
            failed(loss.result())

    async def _open(self, *, confirms: bool) -> AbstractChannel:
        self.check()
        with broker_errors():
            return await self._library.channel(publisher_confirms=confirms)


async def connect(
    broker: BrokerAddress | str, name: str, *, seconds: float = 10.0
) -> BrokerConnection:
    """Connect to the broker; ``name`` is what its list of connections shows.

    Raises:
        BrokerUnreachable: nobody there answered in AMQP within so many seconds, or by such TLS as
            the address asks for.
        BrokerRefused: the broker refused the user, the password or the virtual host.
    """
    address = BrokerAddress.of(broker)
    target, tls = await prepared(address)
    state = ConnectionState()
    frames = FrameReader(state.end)
    frames.tap(0, state)
    transport = TappedTransport(frames)
    library = _Library(
        _with_heartbeat(target),
        context=tls,
        transport_factory=transport,
        client_properties={"connection_name": name},
    )
    try:
        async with asyncio.timeout(seconds):
            await library.connect()
    except TimeoutError:
        transport.abort()
        raise silent(address, seconds) from None
    except StopAsyncIteration as error:  # the library's word for a peer that had hung up already
        transport.abort()
        hung_up = ConnectionResetError("the connection was closed before it was open")
        raise unreachable(address, hung_up, state.refusal) from error
    except (AMQPError, OSError) as error:
        transport.abort()
        raise unreachable(address, error, state.refusal) from error
    return BrokerConnection(library, transport, state)


def _with_heartbeat(url: URL) -> URL:
    return url if "heartbeat" in url.query else url.update_query(heartbeat=HEARTBEAT_SECONDS)
