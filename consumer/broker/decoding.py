"""AMQP content headers, read into properties (AMQP 0-9-1, sections 2.3.5.2 and 4.2.5).

Reading is total: whatever a producer put into a header, the outcome is properties or one error.
It works on offsets, so that a header's cost grows with its length only.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from struct import Struct, error
from typing import Any

from consumer.broker.errors import UndecodableHeader
from consumer.broker.messages import Properties

MAX_HEADER_DEPTH = 64

_NO_PROPERTIES = Properties()
_PREFIX = Struct(">HHQH")
_LAST_SECOND_IN_32_BITS = 0xFFFF_FFFF
_CONTINUED = 1
_BEFORE_HEADERS = (1 << 15, 1 << 14)
_HEADERS = 1 << 13
_COUNT = re.compile(rb"(.)(x-[a-z-]+)l.{8}", re.DOTALL)


def read_body_size(payload: bytes) -> int:
    """How many bytes of body follow; this much of a header the broker itself vouches for."""
    return int.from_bytes(payload[4:12])


def read_properties(payload: bytes) -> Properties:
    """The properties in a content header frame's payload.

    Raises:
        UndecodableHeader: a text is not UTF-8, a time is none, tables are nested more than
            ``MAX_HEADER_DEPTH`` deep, or the header is cut short.
    """
    try:
        flags = _PREFIX.unpack_from(payload)[3]
        if not flags:
            return _NO_PROPERTIES
        return Properties(**_read_fields(payload, flags))
    except UndecodableHeader:
        raise
    except (ValueError, OverflowError, OSError, error, IndexError) as problem:
        raise UndecodableHeader(str(problem)) from problem


def as_published(payload: bytes) -> bytes:
    """What is the same of a header whenever its message is delivered, though it can't be decoded.

    A broker counts deliveries in a header table that it makes if there is none. What is left here
    is no header any more.
    """
    try:
        flags = _PREFIX.unpack_from(payload)[3]
        start = _PREFIX.size
        for bit in _BEFORE_HEADERS:
            if flags & bit:
                _, start = read_short_bytes(payload, start)
        before, entries, after = payload[_PREFIX.size : start], b"", payload[start:]
        if flags & _HEADERS:
            at, end = _enter(payload, start, depth=0)
            entries, after = _COUNT.sub(_unless_count, payload[at:end]), payload[end:]
    except (error, IndexError, UndecodableHeader):
        return payload
    return b"%d %b%b%b" % (flags & ~_HEADERS, before, entries, after)


def _unless_count(found: re.Match[bytes]) -> bytes:
    return b"" if found[1][0] == len(found[2]) else found[0]


def read_short_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """A short string as bytes, and where it ends."""
    end = at + 1 + data[at]
    if end > len(data):
        raise UndecodableHeader("a short string is cut short")
    return data[at + 1 : end], end


def _read_short_text(data: bytes, at: int) -> tuple[str, int]:
    raw, at = read_short_bytes(data, at)
    return raw.decode(), at


def _read_fields(payload: bytes, flags: int) -> dict[str, Any]:
    if flags & _CONTINUED:
        raise UndecodableHeader("more property flags than there are properties")
    fields: dict[str, Any] = {}
    at = _PREFIX.size
    for bit, name, read in _PROPERTIES:
        if flags & bit:
            value, at = read(payload, at)
            if name is not None:
                fields[name] = value
    return fields


def _read_octet(data: bytes, at: int) -> tuple[int, int]:
    return data[at], at + 1


def _read_timestamp(data: bytes, at: int) -> tuple[datetime, int]:
    (seconds,) = _UNSIGNED_64.unpack_from(data, at)
    if seconds > _LAST_SECOND_IN_32_BITS:  # some clients send milliseconds
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC), at + 8


def _read_table(data: bytes, at: int, depth: int = 0) -> tuple[dict[str, Any], int]:
    at, end = _enter(data, at, depth)
    table: dict[str, Any] = {}
    while at < end:
        key, at = _read_short_text(data, at)
        table[key], at = _read_value(data, at, depth)
    return table, _leave(at, end)


def _read_array(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    at, end = _enter(data, at, depth)
    array: list[Any] = []
    while at < end:
        value, at = _read_value(data, at, depth)
        array.append(value)
    return array, _leave(at, end)


def _enter(data: bytes, at: int, depth: int) -> tuple[int, int]:
    if depth > MAX_HEADER_DEPTH:
        raise UndecodableHeader(f"headers are nested more than {MAX_HEADER_DEPTH} deep")
    (length,) = _UNSIGNED_32.unpack_from(data, at)
    at += 4
    if at + length > len(data):
        raise UndecodableHeader("a table is cut short")
    return at, at + length


def _leave(at: int, end: int) -> int:
    if at != end:
        raise UndecodableHeader("a value reaches beyond its table")
    return end


def _read_value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    kind = data[at : at + 1]
    at += 1
    fixed = _FIXED.get(kind)
    if fixed is not None:
        return fixed.unpack_from(data, at)[0], at + fixed.size
    nested = _NESTED.get(kind)
    if nested is not None:
        return nested(data, at, depth + 1)
    other = _OTHER.get(kind)
    if other is None:
        raise UndecodableHeader(f"there is no type {kind!r}")
    return other(data, at)


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = _UNSIGNED_32.unpack_from(data, at)
    at += 4
    if at + length > len(data):
        raise UndecodableHeader("a value is cut short")
    return data[at : at + length], at + length


def _read_long_text(data: bytes, at: int) -> tuple[str | bytes, int]:
    raw, at = _read_bytes(data, at)
    try:
        return raw.decode(), at
    except UnicodeDecodeError:  # AMQP's long strings are bytes; most only happen to be text
        return raw, at


def _read_decimal(data: bytes, at: int) -> tuple[Decimal, int]:
    scale, digits = _DECIMAL.unpack_from(data, at)
    return Decimal(digits).scaleb(-scale), at + _DECIMAL.size


def _read_void(data: bytes, at: int) -> tuple[None, int]:
    del data
    return None, at


_UNSIGNED_32 = Struct(">I")
_UNSIGNED_64 = Struct(">Q")
_DECIMAL = Struct(">Bi")

# The letters as RabbitMQ uses them (its "errata" to AMQP 0-9-1), which differ from the standard.
_FIXED = {
    b"t": Struct(">?"),
    b"b": Struct(">b"),
    b"B": Struct(">B"),
    b"s": Struct(">h"),
    b"u": Struct(">H"),
    b"I": Struct(">i"),
    b"i": Struct(">I"),
    b"l": Struct(">q"),
    b"L": Struct(">q"),
    b"f": Struct(">f"),
    b"d": Struct(">d"),
}
_NESTED: dict[bytes, Callable[[bytes, int, int], tuple[Any, int]]] = {
    b"F": _read_table,
    b"A": _read_array,
}
_OTHER: dict[bytes, Callable[[bytes, int], tuple[Any, int]]] = {
    b"S": _read_long_text,
    b"x": _read_bytes,
    b"D": _read_decimal,
    b"T": _read_timestamp,
    b"V": _read_void,
}
_PROPERTIES: tuple[tuple[int, str | None, Callable[[bytes, int], tuple[Any, int]]], ...] = (
    (1 << 15, "content_type", _read_short_text),
    (1 << 14, "content_encoding", _read_short_text),
    (1 << 13, "headers", _read_table),
    (1 << 12, None, _read_octet),  # delivery mode: all is persistent here
    (1 << 11, "priority", _read_octet),
    (1 << 10, "correlation_id", _read_short_text),
    (1 << 9, "reply_to", _read_short_text),
    (1 << 8, "expiration", _read_short_text),
    (1 << 7, "message_id", _read_short_text),
    (1 << 6, "timestamp", _read_timestamp),
    (1 << 5, "type", _read_short_text),
    (1 << 4, "user_id", _read_short_text),
    (1 << 3, "app_id", _read_short_text),
    (1 << 2, None, _read_short_text),  # cluster id, deprecated
)
