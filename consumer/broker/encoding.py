"""Outgoing messages, written as the frames of one publish (AMQP 0-9-1, section 4.2)."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from struct import Struct
from typing import Any

from consumer.broker.errors import UnsendableMessage
from consumer.broker.frames import FrameType, frame
from consumer.broker.messages import Outgoing, Properties

DIRECT_REPLY = "amq.rabbitmq.reply-to"

_BASIC_PUBLISH = Struct(">HHH").pack(60, 40, 0)
_HEADER_PREFIX = Struct(">HHQH")
_BASIC = 60
_PERSISTENT = b"\x02"
_DELIVERY_MODE = 1 << 12
_SIGNED_32 = Struct(">i")
_SIGNED_64 = Struct(">q")
_UNSIGNED_32 = Struct(">I")
_UNSIGNED_64 = Struct(">Q")
_DOUBLE = Struct(">d")
_FRAME_OVERHEAD = 8
_MAX_SHORT = 255
_MAX_OCTET = 255


def publish_frames(message: Outgoing, channel: int, frame_max: int) -> bytes:
    """The frames that publish the message, persistent.

    Raises:
        UnsendableMessage: as ``opening_frames`` says.
    """
    opening = opening_frames(message, channel, frame_max)
    return b"".join((opening, *body_frames(message.body, channel, frame_max)))


def opening_frames(message: Outgoing, channel: int, frame_max: int) -> bytes:
    """The frames that come before the body.

    Raises:
        UnsendableMessage: a text is too long or is none, a header's value has no counterpart in
            AMQP, or the properties do not fit into one frame.
    """
    # A mandatory message to a direct reply's pseudo-queue is delivered and returned, both (3.10).
    mandatory = message.mandatory and not message.routing_key.startswith(DIRECT_REPLY)
    method = (
        _BASIC_PUBLISH
        + _short(message.exchange)
        + _short(message.routing_key)
        + (b"\x01" if mandatory else b"\x00")
    )
    header = _content_header(message.properties, len(message.body))
    room = frame_max - _FRAME_OVERHEAD
    if len(header) > room:
        raise UnsendableMessage(f"its properties take {len(header)} bytes, a frame holds {room}")
    return frame(FrameType.METHOD, channel, method) + frame(FrameType.HEADER, channel, header)


def body_frames(body: bytes, channel: int, frame_max: int) -> Iterator[bytes]:
    """The frames of the body, none where it is empty."""
    room = frame_max - _FRAME_OVERHEAD
    for at in range(0, len(body), room):
        yield frame(FrameType.BODY, channel, body[at : at + room])


def fitted(message: Outgoing, frame_max: int) -> Outgoing:
    """The message without headers that can't be put into AMQP, or that a frame has no room for.

    Of the latter the longest go first.
    """
    properties = message.properties
    lengths: dict[str, int] = {}
    for name, value in properties.headers.items():
        with suppress(UnsendableMessage):
            lengths[name] = len(_table({name: value}))
    bare = len(_content_header(replace(properties, headers={"": ""}), len(message.body)))
    for name in sorted(lengths, key=lengths.__getitem__, reverse=True):
        if bare + sum(lengths.values()) + _FRAME_OVERHEAD <= frame_max:
            break
        del lengths[name]
    headers = {name: properties.headers[name] for name in lengths}
    return replace(message, properties=replace(properties, headers=headers))


def _content_header(properties: Properties, body_size: int) -> bytes:
    flags = _DELIVERY_MODE
    parts: list[bytes] = []
    for bit, name in _BEFORE_DELIVERY_MODE:
        flags |= _add_text(parts, bit, getattr(properties, name))
    if properties.headers:
        flags |= 1 << 13
        parts.append(_table(properties.headers))
    parts.append(_PERSISTENT)
    if properties.priority is not None:
        flags |= 1 << 11
        parts.append(_octet(properties.priority))
    for bit, name in _BEFORE_TIMESTAMP:
        flags |= _add_text(parts, bit, getattr(properties, name))
    if properties.timestamp is not None:
        flags |= 1 << 6
        parts.append(_seconds(properties.timestamp))
    for bit, name in _AFTER_TIMESTAMP:
        flags |= _add_text(parts, bit, getattr(properties, name))
    return _HEADER_PREFIX.pack(_BASIC, 0, body_size, flags) + b"".join(parts)


_BEFORE_DELIVERY_MODE = ((1 << 15, "content_type"), (1 << 14, "content_encoding"))
_BEFORE_TIMESTAMP = (
    (1 << 10, "correlation_id"),
    (1 << 9, "reply_to"),
    (1 << 8, "expiration"),
    (1 << 7, "message_id"),
)
_AFTER_TIMESTAMP = ((1 << 5, "type"), (1 << 4, "user_id"), (1 << 3, "app_id"))


def _add_text(parts: list[bytes], bit: int, value: str | None) -> int:
    if value is None:
        return 0
    parts.append(_short(value))
    return bit


def _octet(value: int) -> bytes:
    if not 0 <= value <= _MAX_OCTET:
        raise UnsendableMessage(f"a priority is 0 to {_MAX_OCTET}, not {value}")
    return bytes((value,))


def _text(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise UnsendableMessage(f"{value!a:.80} is no text") from error


def _short(value: str) -> bytes:
    raw = _text(value)
    if len(raw) > _MAX_SHORT:
        raise UnsendableMessage(f"{value!a:.80} takes more than {_MAX_SHORT} bytes")
    return bytes((len(raw),)) + raw


def _long(raw: bytes) -> bytes:
    return _UNSIGNED_32.pack(len(raw)) + raw


def _table(table: Mapping[str, Any]) -> bytes:
    return _long(b"".join(_short(key) + _value(value) for key, value in table.items()))


def _value(value: Any) -> bytes:  # noqa: PLR0911 - one line for each of AMQP's types
    match value:
        case str():
            return b"S" + _long(_text(value))
        case None:
            return b"V"
        case bool():
            return b"t\x01" if value else b"t\x00"
        case int():
            return _integer(value)
        case float():
            return b"d" + _DOUBLE.pack(value)
        case bytes():
            return b"x" + _long(value)
        case datetime():
            return b"T" + _seconds(value)
        case Mapping():
            return b"F" + _table(value)
        case list() | tuple():
            return b"A" + _long(b"".join(_value(item) for item in value))
    raise UnsendableMessage(f"a header can't hold a {type(value).__name__}")


def _seconds(moment: datetime) -> bytes:
    seconds = int(moment.timestamp())
    if seconds < 0:
        raise UnsendableMessage(f"AMQP has no times before 1970, such as {moment.isoformat()}")
    return _UNSIGNED_64.pack(seconds)


def _integer(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"I" + _SIGNED_32.pack(value)
    if -(2**63) <= value < 2**63:
        return b"l" + _SIGNED_64.pack(value)
    raise UnsendableMessage(f"a header can't hold the number {value}")
