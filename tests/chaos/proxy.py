"""A line between two servers that can be cut, held up or made slow."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from typing import Any, Self

from deploy.servers.ports import LOOPBACK, free_ports

_CHUNK_BYTES = 65_536


class Mode(Enum):
    """What happens to bytes: they pass, all connections are closed and refused, or none moves.

    ``MUTE`` halts only what the server says: it hears all, and nobody hears its answers.
    """

    PASS = auto()
    DROP = auto()
    HALT = auto()
    MUTE = auto()


Reader = Callable[[bytes], bytes]
"""Sees one connection's bytes from the server; what it returns is passed on now."""


class _Way:
    """One of a line's two directions; ``latency`` is in seconds, for every chunk."""

    def __init__(self) -> None:
        self.latency = 0.0
        self._open = asyncio.Event()
        self._open.set()

    def halt(self, halted: bool) -> None:  # noqa: FBT001 - what else could it be
        """Let nothing through from now on, or everything."""
        if halted:
            self._open.clear()
        else:
            self._open.set()

    async def moves(self) -> None:
        """Wait until something gets through."""
        if self.latency:
            await asyncio.sleep(self.latency)
        await self._open.wait()


class Proxy:
    """Forwards TCP connections to ``host`` and ``port``; its own ``port`` never changes.

    Bytes that are under way when the line is halted wait and arrive when it passes again.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        (self.port,) = free_ports(1)
        # Bound but not listening: nobody else can be given the port while connections are refused.
        self._holder = _bound(self.port)
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._forth, self._back = _Way(), _Way()

    @classmethod
    @asynccontextmanager
    async def to(cls, host: str, port: int) -> AsyncIterator[Self]:
        """A proxy that passes everything, for as long as the context lasts."""
        proxy = cls(host, port)
        try:
            await proxy.set_mode(Mode.PASS)
            yield proxy
        finally:
            await proxy.set_mode(Mode.DROP)
            proxy._holder.close()

    @property
    def host(self) -> str:
        return LOOPBACK

    def delay(self, seconds: float) -> None:
        """Let every chunk take so much longer, each way."""
        self._forth.latency = self._back.latency = seconds

    async def set_mode(self, mode: Mode) -> None:
        """From now on treat bytes and connections so."""
        if mode is Mode.DROP:
            self._stop_listening()
            await asyncio.gather(*(link.give_up() for link in self._links))
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, sock=_bound(self.port))
        self._forth.halt(mode is Mode.HALT)
        self._back.halt(mode in (Mode.HALT, Mode.MUTE))

    def reader(self, _back: asyncio.StreamWriter) -> Reader:
        """What sees a new connection's bytes from the server; here they pass as they are."""
        return bytes

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        self._links.add(link)
        await link.ended(self._forward(link, reader))
        self._links.discard(link)

    async def _forward(self, link: "_Link", reader: asyncio.StreamReader) -> None:
        """Pump both ways until one side ends."""
        await self._forth.moves()
        with suppress(OSError):
            from_server, to_server = await asyncio.open_connection(*self._target)
            link.writers.append(to_server)
            pumps = {
                asyncio.create_task(_pump(reader, to_server, self._forth, bytes)),
                asyncio.create_task(
                    _pump(from_server, link.front, self._back, self.reader(link.front))
                ),
            }
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class _Link:
    """One connection to the proxy, and the one behind it."""

    def __init__(self, front: asyncio.StreamWriter) -> None:
        self.front = front
        self.writers = [front]
        self._task: asyncio.Task[None] | None = None

    async def ended(self, forwarding: Coroutine[Any, Any, None]) -> None:
        """Forward until that ends or is given up, then close both sockets as they stand."""
        self._task = asyncio.create_task(forwarding)
        await asyncio.wait({self._task})
        for writer in self.writers:
            writer.transport.abort()
        closing = (writer.wait_closed() for writer in self.writers)
        await asyncio.gather(*closing, return_exceptions=True)

    async def give_up(self) -> None:
        """Forward nothing any more, and wait until the sockets are closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        closing = (writer.wait_closed() for writer in self.writers)
        await asyncio.gather(*closing, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way, see: Reader
) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            await way.moves()
            writer.write(see(chunk))
            await writer.drain()
    await way.moves()  # nor does the news of an end get through a halted line


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((LOOPBACK, port))
    return bound
