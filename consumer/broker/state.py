"""What the broker says about a connection as a whole, and about a channel as a whole."""

import asyncio
from collections.abc import Callable
from struct import Struct

from consumer.broker.decoding import read_short_bytes
from consumer.broker.errors import (
    BrokerConnectionLost,
    BrokerFailed,
    ChannelClosedByBroker,
    ConsumerCancelled,
)
from consumer.broker.frames import FrameType, Tap

_METHOD = Struct(">HH")
_INTERNAL_ERROR = 541
_CONNECTION_CLOSE = _METHOD.pack(10, 50)
_CONNECTION_BLOCKED = _METHOD.pack(10, 60)
_CONNECTION_UNBLOCKED = _METHOD.pack(10, 61)
_CHANNEL_CLOSE = _METHOD.pack(20, 40)
_CONSUMER_CANCELLED = _METHOD.pack(60, 30)


def _text(payload: bytes, at: int) -> str:
    return read_short_bytes(payload, at)[0].decode(errors="backslashreplace")


class ConnectionState:
    """Watches channel 0, where the broker speaks of the connection; takes nothing from it."""

    def __init__(self) -> None:
        self.blocked: str | None = None
        self.refusal: str | None = None
        self.loss: asyncio.Future[BrokerConnectionLost] = asyncio.get_running_loop().create_future()

    def __call__(self, frame_type: int, payload: bytes) -> bool:
        """Note what the frame says."""
        if frame_type == FrameType.METHOD:
            method = payload[:4]
            if method == _CONNECTION_BLOCKED:
                self.blocked = _text(payload, 4)
            elif method == _CONNECTION_UNBLOCKED:
                self.blocked = None
            elif method == _CONNECTION_CLOSE:
                self.refusal = _text(payload, 6)
                code = int.from_bytes(payload[4:6])
                loss = BrokerFailed if code == _INTERNAL_ERROR else BrokerConnectionLost
                self.lose(loss(f"the broker closed the connection: {self.refusal}"))
        return False

    def lose(self, loss: BrokerConnectionLost) -> None:
        """The connection is gone; the first reason stands."""
        if not self.loss.done():
            self.loss.set_result(loss)

    def end(self, reason: str) -> None:
        """The socket below the connection is gone."""
        self.lose(BrokerConnectionLost(reason))


class ChannelWatch:
    """A tap before another that notices when the broker ends the channel or its consumer."""

    def __init__(self, tap: Tap, failed: Callable[[BrokerConnectionLost], None]) -> None:
        self._tap = tap
        self._failed = failed

    def __call__(self, frame_type: int, payload: bytes) -> bool:
        """Leave the frame to the other tap; an end is the library's business too."""
        if self._tap(frame_type, payload):
            return True
        if frame_type == FrameType.METHOD:
            method = payload[:4]
            if method == _CHANNEL_CLOSE:
                code = int.from_bytes(payload[4:6])
                self._failed(ChannelClosedByBroker(code, _text(payload, 6)))
            elif method == _CONSUMER_CANCELLED:
                self._failed(ConsumerCancelled())
        return False
