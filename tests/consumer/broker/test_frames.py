import asyncio
import random

import pytest
from typing_extensions import override

from consumer.broker.frames import FrameReader, FrameType, frame

HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


class Taps:
    """A tap that takes what it is told to, and remembers it."""

    def __init__(self, *, takes: bool) -> None:
        self.takes = takes
        self.seen: list[tuple[int, bytes]] = []

    def __call__(self, frame_type: int, payload: bytes) -> bool:
        self.seen.append((frame_type, payload))
        return self.takes


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counting(FrameReader):
    """Counts the bytes that are put together and looked through."""

    looked_through = 0

    @override
    def _take_frames(self, data: bytes) -> int:
        self.looked_through += len(data)
        return super()._take_frames(data)


def ignore(reason: str) -> None:
    del reason


async def all_of(reader: FrameReader) -> bytes:
    asyncio.StreamReader.feed_eof(reader)
    return await reader.read()


async def test_a_tap_takes_its_channels_frames_and_the_rest_passes() -> None:
    reader, tap = FrameReader(ignore), Taps(takes=True)
    reader.tap(3, tap)

    reader.feed_data(
        frame(FrameType.METHOD, 1, b"one")
        + frame(FrameType.METHOD, 3, b"three")
        + HEARTBEAT
        + frame(FrameType.BODY, 3, b"")
    )

    assert tap.seen == [(FrameType.METHOD, b"three"), (FrameType.BODY, b"")]
    assert await all_of(reader) == frame(FrameType.METHOD, 1, b"one") + HEARTBEAT


async def test_what_a_tap_does_not_take_passes() -> None:
    reader, tap = FrameReader(ignore), Taps(takes=False)
    reader.tap(3, tap)
    data = frame(FrameType.METHOD, 3, b"three")

    reader.feed_data(data)

    assert tap.seen == [(FrameType.METHOD, b"three")]
    assert await all_of(reader) == data


async def test_a_channel_that_is_not_tapped_any_more_passes() -> None:
    reader, tap = FrameReader(ignore), Taps(takes=True)
    reader.tap(3, tap)
    reader.untap(3)

    reader.feed_data(frame(FrameType.METHOD, 3, b"three"))

    assert tap.seen == []
    assert await all_of(reader) == frame(FrameType.METHOD, 3, b"three")


@pytest.mark.parametrize("portion", [1, 2, 5, 7, 8, 9, 13, 100])
async def test_frames_may_come_in_pieces_of_any_size(portion: int) -> None:
    reader, tap = FrameReader(ignore), Taps(takes=True)
    reader.tap(3, tap)
    data = b"".join(
        frame(FrameType.BODY, channel, bytes((channel,)) * size)
        for channel, size in [(3, 0), (1, 1), (3, 2), (3, 30), (2, 9)]
    )

    for start in range(0, len(data), portion):
        reader.feed_data(data[start : start + portion])

    assert [len(payload) for _, payload in tap.seen] == [0, 2, 30]
    assert await all_of(reader) == (
        frame(FrameType.BODY, 1, b"\x01") + frame(FrameType.BODY, 2, b"\x02" * 9)
    )


async def test_frames_may_be_cut_anywhere() -> None:
    chance = random.Random(7)  # noqa: S311 - any places will do
    sizes = [chance.choice([0, 1, 40, 3_000]) for _ in range(400)]
    data = b"".join(
        frame(FrameType.BODY, chance.choice([1, 3]), bytes((at % 256,)) * size)
        for at, size in enumerate(sizes)
    )
    cuts = sorted(chance.sample(range(len(data)), 1_000))
    reader, tap = FrameReader(ignore), Taps(takes=False)
    reader.tap(3, tap)

    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        reader.feed_data(data[start:end])

    assert await all_of(reader) == data
    assert [payload for _, payload in tap.seen] == [
        data[start + 7 : start + 7 + size]
        for start, size in zip(starts(sizes), sizes, strict=True)
        if data[start + 2] == 3
    ]


def starts(sizes: list[int]) -> list[int]:
    """Where each frame begins, by the sizes of the payloads."""
    return [sum(sizes[:at]) + 8 * at for at in range(len(sizes))]


@pytest.mark.parametrize("portion", [1, 10, 1_000, 100_000])
async def test_a_large_frame_is_put_together_once_however_many_pieces_it_comes_in(
    portion: int,
) -> None:
    reader, tap = Counting(ignore), Taps(takes=True)
    reader.tap(3, tap)
    data = frame(FrameType.BODY, 3, b"x" * 131_064) * 3

    for start in range(0, len(data), portion):
        reader.feed_data(data[start : start + portion])

    assert [len(payload) for _, payload in tap.seen] == [131_064] * 3
    assert reader.looked_through <= 2 * len(data)


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"AMQP\x01\x01\x00\x0a", id="another version of AMQP"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(b"\x03\x00\x03\x00\x00\x00\x02ab!", id="a frame without its end"),
    ],
)
async def test_what_is_no_frame_is_left_to_the_library_with_all_that_follows(junk: bytes) -> None:
    reasons: list[str] = []
    reader, tap = FrameReader(reasons.append), Taps(takes=True)
    reader.tap(3, tap)
    good = frame(FrameType.METHOD, 3, b"three")

    reader.feed_data(good + junk)
    reader.feed_data(good)

    assert tap.seen == [(FrameType.METHOD, b"three")]
    assert await all_of(reader) == junk + good
    assert reasons == ["what the broker sends is not AMQP 0-9-1"]


async def test_the_library_hears_a_heartbeat_when_taps_took_everything_for_long() -> None:
    clock = Clock()
    reader, tap = FrameReader(ignore, clock), Taps(takes=True)
    reader.tap(3, tap)
    taken = frame(FrameType.METHOD, 3, b"three")

    reader.feed_data(taken)
    clock.now += FrameReader.REASSURE_SECONDS
    reader.feed_data(taken)
    clock.now += 0.1
    reader.feed_data(taken)
    reader.feed_data(taken)

    assert len(tap.seen) == 4
    assert await all_of(reader) == HEARTBEAT


async def test_the_end_is_told_with_its_reason() -> None:
    reasons: list[str] = []
    closed, failed = FrameReader(reasons.append), FrameReader(reasons.append)

    closed.feed_eof()
    failed.set_exception(ConnectionResetError("reset by peer"))

    assert reasons == ["the connection was closed", "the connection failed: reset by peer"]
    assert closed.at_eof()
    with pytest.raises(ConnectionResetError):
        await failed.readexactly(1)
