import asyncio
import socket
from contextlib import suppress

import pytest

from consumer.errors import SettingsError
from consumer.health.http import Page
from consumer.health.server import Limits, serving
from tests.consumer.health.clients import LOOPBACK, get

LARGE = 50_000_000
PAGES = {"/": lambda: Page(body=b"hello\n")}


async def test_a_client_that_says_nothing_is_dropped_in_time() -> None:
    async with serving(LOOPBACK, 0, PAGES, Limits(seconds=0.1)) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        assert await reader.read() == b""
        writer.close()


async def test_one_that_sends_byte_by_byte_gets_no_more_time_than_others() -> None:
    async with serving(LOOPBACK, 0, PAGES, Limits(seconds=0.3)) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        ending = asyncio.create_task(ended(reader))
        sent = 0
        while not ending.done():
            writer.write(b"G")
            sent += 1
            await asyncio.wait({ending}, timeout=0.02)
        assert sent > 1
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the connection ended, in whichever way."""
    with suppress(ConnectionError):
        return await reader.read()
    return b""


async def test_one_that_reads_slowly_is_dropped_in_time() -> None:
    large = Page(body=b"x" * LARGE)
    async with serving(LOOPBACK, 0, {"/": lambda: large}, Limits(seconds=0.2)) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        got = 0
        with suppress(ConnectionError):
            while piece := await reader.read(100):
                got += len(piece)
        assert 0 < got < LARGE
        writer.close()


async def test_those_who_keep_connections_open_keep_nobody_out() -> None:
    limits = Limits(connections=3, seconds=3_600, a_second=1_000)
    async with serving(LOOPBACK, 0, PAGES, limits) as port:
        idle = [await asyncio.open_connection(LOOPBACK, port) for _ in range(20)]
        assert (await get(port, "/")).status == 200
        dropped = [reader for reader, _ in idle if reader.at_eof() or not await is_open(reader)]
        assert len(dropped) >= 17
        for _, writer in idle:
            writer.close()


async def is_open(reader: asyncio.StreamReader) -> bool:
    done, pending = await asyncio.wait({asyncio.ensure_future(reader.read(1))}, timeout=0.05)
    for each in pending:
        each.cancel()
    return not done


async def test_open_connections_do_not_hold_up_the_end() -> None:
    async with serving(LOOPBACK, 0, PAGES, Limits(seconds=3_600)) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        assert (await get(port, "/")).status == 200
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(LOOPBACK, port)


async def test_a_name_with_several_addresses_is_served_at_each_that_there_is() -> None:
    async with serving("localhost", 0, PAGES) as port:
        assert port


async def test_a_port_that_is_taken_is_told_by_its_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"POINTSMAN_HTTP_PORT: port {port} .* is taken"):
            async with serving(LOOPBACK, port, PAGES):
                pass


@pytest.mark.parametrize("host", ["no such host.invalid", "192.0.2.1"])
async def test_a_host_that_is_not_here_is_told_by_its_setting(host: str) -> None:
    with pytest.raises(SettingsError, match="POINTSMAN_HTTP_HOST"):
        async with serving(host, 0, PAGES):
            pass
