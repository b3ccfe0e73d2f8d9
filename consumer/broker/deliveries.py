"""Deliveries, put together from the frames of a consuming channel."""

from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from consumer.broker.decoding import (
    read_body_size,
    read_properties,
    read_short_bytes,
)
from consumer.broker.errors import UndecodableHeader
from consumer.broker.frames import FrameType
from consumer.broker.messages import Delivery, Properties

_DELIVER = Struct(">HH").pack(60, 60)
_TAG_AND_FLAGS = Struct(">QB")
_NO_PROPERTIES = Properties()


class _Envelope(NamedTuple):
    tag: int
    redelivered: bool
    exchange: str
    routing_key: str


class DeliveryTap:
    """Takes a channel's deliveries out of the stream and hands each on when it is whole.

    A content header that can't be decoded comes as it is, in ``Delivery.raw_header``.
    """

    def __init__(self, deliver: Callable[[Delivery], None], partition: int | None = None) -> None:
        self._deliver = deliver
        self._partition = partition
        self._envelope: _Envelope | None = None
        self._properties = _NO_PROPERTIES
        self._raw_header: bytes | None = None
        self._missing = 0
        self._body: list[bytes] = []

    def __call__(self, frame_type: int, payload: bytes) -> bool:
        """Take the frame if it belongs to a delivery."""
        if frame_type == FrameType.METHOD:
            if not payload.startswith(_DELIVER):
                return False
            self._envelope = _read_envelope(payload)
            return True
        if self._envelope is None:  # the content of something else
            return False
        if frame_type == FrameType.HEADER:
            self._take_header(payload)
        else:
            self._body.append(payload)
            self._missing -= len(payload)
        if self._missing <= 0:
            self._finish(self._envelope)
        return True

    def _take_header(self, payload: bytes) -> None:
        self._missing = read_body_size(payload)
        try:
            self._properties = read_properties(payload)
        except UndecodableHeader:
            self._raw_header = payload

    def _finish(self, envelope: _Envelope) -> None:
        delivery = Delivery(
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
            properties=self._properties,
            exchange=envelope.exchange,
            routing_key=envelope.routing_key,
            redelivered=envelope.redelivered,
            tag=envelope.tag,
            partition=self._partition,
            raw_header=self._raw_header,
        )
        self._envelope = None
        self._properties = _NO_PROPERTIES
        self._raw_header = None
        self._body = []
        self._deliver(delivery)


def _read_envelope(payload: bytes) -> _Envelope:
    _, at = read_short_bytes(payload, len(_DELIVER))  # the consumer tag: a channel has one
    tag, flags = _TAG_AND_FLAGS.unpack_from(payload, at)
    exchange, at = _name(payload, at + _TAG_AND_FLAGS.size)
    routing_key, _ = _name(payload, at)
    return _Envelope(tag, bool(flags & 1), exchange, routing_key)


def _name(payload: bytes, at: int) -> tuple[str, int]:
    # A producer's routing key can be any bytes; the broker does not look whether they are text.
    raw, at = read_short_bytes(payload, at)
    return raw.decode(errors="backslashreplace"), at
