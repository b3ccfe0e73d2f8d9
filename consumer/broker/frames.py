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
_OVERHEAD = _HEAD.size + len(_END)


class FrameType(IntEnum):
    """The kinds of frame that a channel carries (AMQP 0-9-1, section 2.3.5)."""

    METHOD = 1
    HEADER = 2
    BODY = 3


_FRAME_TYPES = frozenset({*FrameType, _HEARTBEAT[0]})
_ENDS = frozenset({_END, b""})  # none yet, where the frame is not whole


def frame(frame_type: FrameType, channel: int, payload: bytes) -> bytes:
    """A frame as it is written."""
    return _HEAD.pack(frame_type, channel, len(payload)) + payload + _END


class FrameReader(asyncio.StreamReader):
    """A stream of whole frames, less those that a channel's tap took.

    A tap must not raise, and is called while the bytes arrive, so that it costs no task switch.
    ``ended`` is told why, as soon as nothing more can come. Where the bytes are no frames, such as
    those of another protocol, the rest is left to the library, which ends the connection over it.
    """

    REASSURE_SECONDS = 5.0

    def __init__(
        self, ended: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._ended = ended
        self._clock = clock
        self._pieces: list[bytes] = []
        self._missing = _OVERHEAD
        self._in_step = True
        self._taps: dict[int, Tap] = {}
        self._passed_at = clock()

    def tap(self, channel: int, tap: Tap) -> None:
        """Show the tap every frame of the channel from now on; 0 is the connection itself."""
        self._taps[channel] = tap

    def untap(self, channel: int) -> None:
        """Leave the channel's frames to the library again."""
        self._taps.pop(channel, None)

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Take what the transport received.

        Pieces are put together once there is a whole frame, not with each one that comes: a frame
        in a thousand pieces costs no more copying than one in two.
        """
        piece = bytes(data)
        self._missing -= len(piece)
        self._pieces.append(piece)
        if self._missing > 0 and self._in_step:
            return
        together = piece if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        taken = self._take_frames(together) if self._in_step else 0
        if not self._in_step:
            super().feed_data(together[taken:])
            return
        if taken < len(together):
            self._pieces.append(together[taken:])
        if taken:
            self._reassure()

    def _take_frames(self, data: bytes) -> int:
        """Take the whole frames at the beginning of the data, and tell where they end."""
        start, available = 0, len(data)
        while available - start >= _OVERHEAD:
            frame_type, channel, size = _HEAD.unpack_from(data, start)
            end = start + size + _OVERHEAD
            if frame_type not in _FRAME_TYPES or data[end - 1 : end] not in _ENDS:
                self._in_step = False
                self._ended("what the broker sends is not AMQP 0-9-1")
                return start
            if end > available:
                self._missing = end - available
                return start
            tap = self._taps.get(channel)
            if tap is None or not tap(frame_type, data[start + _HEAD.size : end - 1]):
                self._pass_on(data[start:end])
            start = end
        self._missing = start + _OVERHEAD - available
        return start

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
