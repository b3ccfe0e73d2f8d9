import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.chaos.proxy import Mode, Proxy


class Upstream:
    """A server that answers every line with the same line, and counts who is connected."""

    def __init__(self) -> None:
        self.server: asyncio.Server
        self.lines: list[bytes] = []
        self.connected = 0
        self._changed = asyncio.Condition()

    @property
    def port(self) -> int:
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._count(1)
        while line := await reader.readline():
            self.lines.append(line)
            writer.write(line)
        writer.close()
        await self._count(-1)

    async def has(self, connected: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected == connected)

    async def _count(self, difference: int) -> None:
        async with self._changed:
            self.connected += difference
            self._changed.notify_all()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    served = Upstream()
    served.server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    async with served.server:
        yield served


@pytest.fixture
async def proxy(upstream: Upstream) -> AsyncIterator[Proxy]:
    async with Proxy.to("127.0.0.1", upstream.port) as line:
        yield line


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def echo(self, line: bytes) -> bytes:
        self.writer.write(line)
        return await self.reader.readline()

    async def leave(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        await client.leave()


async def test_what_is_sent_passes_both_ways(proxy: Proxy) -> None:
    async with connected(proxy.port) as client:
        assert await client.echo(b"one\n") == b"one\n"
        assert await client.echo(b"two\n") == b"two\n"


async def test_a_side_that_ends_ends_the_other(proxy: Proxy, upstream: Upstream) -> None:
    async with connected(proxy.port) as client:
        await client.echo(b"one\n")
    await upstream.has(connected=0)


async def test_a_line_that_is_dropped_ends_its_connections_and_refuses_new_ones(
    proxy: Proxy, upstream: Upstream
) -> None:
    async with connected(proxy.port) as client:
        await client.echo(b"one\n")
        await proxy.set_mode(Mode.DROP)
        assert await client.reader.read() == b""
    await upstream.has(connected=0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(proxy.host, proxy.port)


async def test_a_line_that_passes_again_has_the_same_port(proxy: Proxy) -> None:
    await proxy.set_mode(Mode.DROP)
    await proxy.set_mode(Mode.PASS)
    async with connected(proxy.port) as client:
        assert await client.echo(b"one\n") == b"one\n"


async def test_a_halted_line_keeps_its_connections_and_lets_nothing_through(
    proxy: Proxy, upstream: Upstream
) -> None:
    async with connected(proxy.port) as client, connected(upstream.port) as direct:
        await client.echo(b"before\n")
        await proxy.set_mode(Mode.HALT)
        answer = asyncio.ensure_future(client.echo(b"meanwhile\n"))
        for number in range(20):
            await direct.echo(f"{number}\n".encode())
        assert b"meanwhile\n" not in upstream.lines
        await proxy.set_mode(Mode.PASS)
        assert await answer == b"meanwhile\n"


async def test_who_leaves_while_the_line_is_halted_is_missed_only_later(
    proxy: Proxy, upstream: Upstream
) -> None:
    async with connected(upstream.port) as direct:
        async with connected(proxy.port) as client:
            await client.echo(b"before\n")
            await proxy.set_mode(Mode.HALT)
        for number in range(20):
            await direct.echo(f"{number}\n".encode())
        assert upstream.connected == 2
        await proxy.set_mode(Mode.PASS)
        await upstream.has(connected=1)


async def test_a_connection_made_while_the_line_is_halted_reaches_the_server_later(
    proxy: Proxy, upstream: Upstream
) -> None:
    await proxy.set_mode(Mode.HALT)
    async with connected(proxy.port) as client, connected(upstream.port) as direct:
        answer = asyncio.ensure_future(client.echo(b"early\n"))
        for number in range(20):
            await direct.echo(f"{number}\n".encode())
        assert upstream.connected == 1
        await proxy.set_mode(Mode.PASS)
        assert await answer == b"early\n"


async def test_a_mute_line_lets_everything_through_to_the_server_and_nothing_back(
    proxy: Proxy, upstream: Upstream
) -> None:
    async with connected(proxy.port) as client, connected(upstream.port) as direct:
        await client.echo(b"before\n")
        await proxy.set_mode(Mode.MUTE)
        answer = asyncio.ensure_future(client.echo(b"meanwhile\n"))
        while b"meanwhile\n" not in upstream.lines:
            await direct.echo(b"direct\n")
        assert not answer.done()
        await proxy.set_mode(Mode.PASS)
        assert await answer == b"meanwhile\n"


async def test_a_halted_line_can_be_dropped(proxy: Proxy, upstream: Upstream) -> None:
    async with connected(proxy.port) as client:
        await client.echo(b"before\n")
        await proxy.set_mode(Mode.HALT)
        await proxy.set_mode(Mode.DROP)
        await upstream.has(connected=0)


async def test_a_slow_line_takes_its_time_each_way(proxy: Proxy) -> None:
    async with connected(proxy.port) as client:
        await client.echo(b"one\n")
        proxy.delay(0.05)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await client.echo(b"two\n") == b"two\n"
        assert loop.time() - began >= 0.1


async def test_a_server_that_is_away_ends_the_connection(unused_tcp_port: int) -> None:
    async with (
        Proxy.to("127.0.0.1", unused_tcp_port) as line,
        connected(line.port) as client,
    ):
        assert await client.reader.read() == b""
