"""The broker's bytes, frame by frame, before the client library sees them.

The library makes a task of every message and ends the connection over one that it can't decode.
What our channels receive is therefore taken out of the stream here; everything else goes on to the
library, which keeps the connection, its heartbeats and its channels.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from enum import IntEnum
from struct import Struct
from typing import SupportsIndex

Tap = Callable[[int, bytes], bool]
"""Is given a frame's type and payload, and answers whether it took the frame."""

_HEAD = Struct(">BHI")
_END = b"\xce"
_HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00" + _END
_PROTOCOL = b"AMQP"
_OVERHEAD = _HEAD.size + len(_END)


class FrameType(IntEnum):
    """The kinds of frame that a channel carries (AMQP 0-9-1, section 2.3.5)."""

    METHOD = 1
    HEADER = 2
    BODY = 3


def frame(frame_type: FrameType, channel: int, payload: bytes) -> bytes:
    """A frame as it is written."""
    return _HEAD.pack(frame_type, channel, len(payload)) + payload + _END


class FrameReader(asyncio.StreamReader):
    """A stream of whole frames, less those that a channel's tap took.

    A tap must not raise, and is called while the bytes arrive, so that it costs no task switch.
    ``ended`` is told why, as soon as nothing more can come.
    """

    REASSURE_SECONDS = 5.0

    def __init__(
        self, ended: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._ended = ended
        self._clock = clock
        self._incomplete = b""
        self._taps: dict[int, Tap] = {}
        self._passed_at = clock()

    def tap(self, channel: int, tap: Tap) -> None:
        """Show the tap every frame of the channel from now on; 0 is the connection itself."""
        self._taps[channel] = tap

    def untap(self, channel: int) -> None:
        """Leave the channel's frames to the library again."""
        self._taps.pop(channel, None)

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Take what the transport received."""
        data = self._incomplete + bytes(data)
        if data.startswith(_PROTOCOL):  # another version of AMQP: the library's to complain about
            self._incomplete = b""
            super().feed_data(data)
            return
        start, available = 0, len(data)
        while available - start >= _OVERHEAD:
            frame_type, channel, size = _HEAD.unpack_from(data, start)
            end = start + size + _OVERHEAD
            if end > available:
                break
            tap = self._taps.get(channel)
            if tap is None or not tap(frame_type, data[start + _HEAD.size : end - 1]):
                self._pass_on(data[start:end])
            start = end
        self._incomplete = data[start:]
        if start:
            self._reassure()

    def feed_eof(self) -> None:
        """The other side, or we, closed the socket."""
        self._ended("the connection was closed")
        super().feed_eof()

    def set_exception(self, exc: Exception) -> None:
        """The socket failed."""
        self._ended(f"the connection failed: {exc}")
        super().set_exception(exc)

    def _pass_on(self, whole_frame: bytes) -> None:
        self._passed_at = self._clock()
        super().feed_data(whole_frame)

    def _reassure(self) -> None:
        # The library takes a connection for dead on which it sees nothing, and the broker sends
        # no heartbeats where it sends messages: what we take stands for one.
        if self._clock() - self._passed_at > self.REASSURE_SECONDS:
            self._pass_on(_HEARTBEAT)
