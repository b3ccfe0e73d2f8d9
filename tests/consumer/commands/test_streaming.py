import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.commands.streaming import LineWriter

LONG = "x" * 1_000_000


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for each in (reading, writing):
        try:
            os.close(each)
        except OSError:
            continue


async def read_all(reading: int, count: int) -> bytes:
    def read() -> bytes:
        got = b""
        while len(got) < count:
            got += os.read(reading, 65_536)
        return got

    return await asyncio.to_thread(read)


async def test_lines_come_out_in_order_however_long_they_are(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = LineWriter(writing)
    got = asyncio.create_task(read_all(reading, len(LONG) + 7))
    await writer.write("first")
    await writer.write(LONG)
    assert await got == f"first\n{LONG}\n".encode()
    writer.stop()


async def test_a_reader_that_takes_its_time_holds_up_nothing_but_the_line(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    writer = LineWriter(writing)
    line = asyncio.create_task(writer.write(LONG))
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert not line.done()
    assert len(await read_all(reading, len(LONG) + 1)) == len(LONG) + 1
    await line
    writer.stop()


async def test_a_line_that_waits_can_be_given_up(pipe: tuple[int, int]) -> None:
    _, writing = pipe
    writer = LineWriter(writing)
    line = asyncio.create_task(writer.write(LONG))
    await asyncio.sleep(0.01)
    line.cancel()
    await asyncio.wait({line})
    assert line.cancelled()
    writer.stop()


async def test_a_reader_that_goes_is_noticed_where_nothing_is_written(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    writer = LineWriter(writing)
    assert not writer.closed.is_set()
    os.close(reading)
    await writer.closed.wait()
    await writer.write("into the void")


async def test_a_reader_that_goes_ends_the_line_that_waits_for_it(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = LineWriter(writing)
    line = asyncio.create_task(writer.write(LONG))
    await asyncio.sleep(0.01)
    os.close(reading)
    await line
    assert writer.closed.is_set()


async def test_a_file_takes_every_line(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    with file.open("wb") as opened:
        writer = LineWriter(opened.fileno())
        await writer.write("one")
        await writer.write(LONG)
        writer.stop()
    assert file.read_text() == f"one\n{LONG}\n"


async def test_of_a_socket_the_end_is_noticed_by_writing_not_by_what_comes_in() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        writer = LineWriter(ours.fileno())
        theirs.sendall(b"standard input, by the same socket")
        theirs.shutdown(socket.SHUT_WR)
        await writer.write("a line")
        assert theirs.recv(100) == b"a line\n"
        assert not writer.closed.is_set()
        theirs.close()
        await writer.write("into the void")
        assert writer.closed.is_set()


async def test_what_no_encoding_can_say_is_replaced(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = LineWriter(writing)
    await writer.write("\udcff")
    assert await read_all(reading, 2) == b"?\n"
    writer.stop()
