"""The HTTP server, kept so small that no client can hold up what the process is for."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from consumer.errors import SettingsError
from consumer.health.http import Pages, exchange

log = structlog.get_logger(__name__)

_HOST = "POINTSMAN_HTTP_HOST"
_PORT = "POINTSMAN_HTTP_PORT"
_BACKLOG = 128
_ELSEWHERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_NO_DESCRIPTORS_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may take: connections at a time, seconds for each, and new ones a second.

    Where one more comes than there may be, the oldest is dropped: whoever is quick gets through.
    What comes faster waits with the system, and costs nothing here.
    """

    connections: int = 64
    seconds: float = 5.0
    a_second: float = 200.0


DEFAULT_LIMITS = Limits()


@asynccontextmanager
async def serving(
    host: str, port: int, pages: Pages, limits: Limits = DEFAULT_LIMITS
) -> AsyncIterator[int]:
    """Serve the pages for as long as the block lasts, and tell the port; 0 is any free one.

    Raises:
        SettingsError: there is no such host here, or the port can't be had.
    """
    with ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in await _listen(host, port)]
        server = _Server(pages, limits)
        accepting = [asyncio.create_task(server.accept(each)) for each in listeners]
        try:
            yield listeners[0].getsockname()[1]
        finally:
            await _end(accepting)
            await server.close()


class _Server:
    def __init__(self, pages: Pages, limits: Limits) -> None:
        self._pages = pages
        self._limits = limits
        self._open: dict[asyncio.Task[None], None] = {}  # the oldest first

    async def accept(self, listener: socket.socket) -> None:
        """Take connections, one after the other, without end."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connected, _ = await loop.sock_accept(listener)
            except OSError as error:  # there are no file descriptors left, say
                log.warning("health-not-served", error=str(error))
                await asyncio.sleep(_NO_DESCRIPTORS_SECONDS)
                continue
            if len(self._open) >= self._limits.connections:
                next(iter(self._open)).cancel()
            task = asyncio.create_task(self._serve(connected))
            self._open[task] = None
            task.add_done_callback(self._forget)
            await asyncio.sleep(1 / self._limits.a_second)

    async def close(self) -> None:
        """Drop every connection."""
        await _end(list(self._open))

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)

    async def _serve(self, connected: socket.socket) -> None:
        with connected, suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(sock=connected)
            try:
                async with asyncio.timeout(self._limits.seconds):
                    await exchange(reader, writer, self._pages)
            finally:
                writer.transport.abort()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """A socket at each address of the host's that this machine has."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise SettingsError(f"{_HOST}: {host!r} is no host: {error.strerror}") from error
    listeners: list[socket.socket] = []
    missing: OSError | None = None
    for family, *_, address in dict.fromkeys(found):
        try:
            listener = socket.create_server(
                (str(address[0]), port), family=family, backlog=_BACKLOG
            )
        except OSError as error:
            if error.errno not in _ELSEWHERE:
                for each in listeners:
                    each.close()
                raise _refusal(host, port, error) from error
            missing = error
        else:
            listener.settimeout(0)
            listeners.append(listener)
    if not listeners:
        raise SettingsError(f"{_HOST}: {host!r} is not an address of this machine") from missing
    return listeners


def _refusal(host: str, port: int, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"{_PORT}: port {port} at {host} is taken by another program;"
            " set another, or 0 for no health and metrics over HTTP"
        )
    return SettingsError(f"{_PORT}: port {port} at {host} can't be had: {error.strerror}")
