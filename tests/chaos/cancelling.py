"""A line to a broker that can tell clients that their subscriptions are cancelled.

A broker does so when a queue is deleted, which would lose what is in it; so the proxy says it in
the broker's name.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct

from typing_extensions import override

from tests.chaos.proxy import Proxy, Reader

_HEADER = Struct(">BHI")
_END_BYTES = 1
_END = b"\xce"
_METHOD_FRAME = 1
_METHOD = Struct(">HH")
_CONSUME_OK = _METHOD.pack(60, 21)
_CANCEL = _METHOD.pack(60, 30)
_NO_WAIT = b"\x01"


@dataclass(slots=True)
class Conversation:
    """What a broker says on one connection, cut into whole frames."""

    back: asyncio.StreamWriter
    _rest: bytes = b""
    _consumers: set[tuple[int, bytes]] = field(default_factory=set)

    def __call__(self, chunk: bytes) -> bytes:
        """The frames that are whole by now; each subscription in them is remembered."""
        self._rest += chunk
        whole = 0
        for channel, start, end in frames(self._rest):
            payload = self._rest[start:end]
            if payload.startswith(_CONSUME_OK):
                self._consumers.add((channel, payload[len(_CONSUME_OK) :]))
            whole = end + _END_BYTES
        passed, self._rest = self._rest[:whole], self._rest[whole:]
        return passed

    def cancel(self) -> int:
        """Tell the client that each of its subscriptions is cancelled; how many there were."""
        for channel, tag in self._consumers:
            payload = _CANCEL + tag + _NO_WAIT
            header = _HEADER.pack(_METHOD_FRAME, channel, len(payload))
            self.back.write(header + payload + _END)
        cancelled = len(self._consumers)
        self._consumers.clear()
        return cancelled


class CancellingProxy(Proxy):
    """A proxy before a broker."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._conversations: list[Conversation] = []

    def cancel_consumers(self) -> int:
        """Tell every client that its subscriptions are cancelled; how many there were."""
        self._conversations = [each for each in self._conversations if not each.back.is_closing()]
        return sum(conversation.cancel() for conversation in self._conversations)

    @override
    def reader(self, back: asyncio.StreamWriter) -> Reader:
        conversation = Conversation(back)
        self._conversations.append(conversation)
        return conversation


def frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each whole frame at the beginning: its channel, and where its payload starts and ends."""
    at = 0
    while at + _HEADER.size <= len(data):
        kind, channel, length = _HEADER.unpack_from(data, at)
        end = at + _HEADER.size + length
        if end + _END_BYTES > len(data):
            return
        # A payload is only looked at where it is a method's; others must not seem to be one.
        yield (channel, at + _HEADER.size, end) if kind == _METHOD_FRAME else (channel, end, end)
        at = end + _END_BYTES
