"""Content headers as bytes: every property and every kind of value, right or wrong."""

import struct
from collections.abc import Callable
from random import Random

from consumer.wire.names import DeadHeader, Header

_BITS = {
    "content_type": 15,
    "content_encoding": 14,
    "headers": 13,
    "delivery_mode": 12,
    "priority": 11,
    "correlation_id": 10,
    "reply_to": 9,
    "expiration": 8,
    "message_id": 7,
    "timestamp": 6,
    "type": 5,
    "user_id": 4,
    "app_id": 3,
    "cluster_id": 2,
}
_BASIC = 60
_DEEPEST = 3_000
_LARGEST = 130_000
_TEXTS = (
    b"", b"a", b"\0", b"a\0b", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"x" * 255, b"\xc3\xa9" * 127,
    b"\xf0\x9f\x98\x80" * 63, b"1", b"-1", b"yes", b"\x1b[2J", b"../..", b"%s{0}", b"true",
)  # fmt: skip
_OWN_TEXTS = {
    "content_type": (
        b"application/json", b"Application/JSON; charset=utf-16", b"application/json+x", b";",
        b"text/plain", b"application/octet-stream",
    ),
    "content_encoding": (b"utf-8", b"UTF8", b"gzip", b"identity", b"deflate", b"utf-16"),
    "reply_to": (
        b"amq.gen-1", b"pointsman.replies.a", b"pointsman.requests.0", b"amq.rabbitmq.reply-to.x",
        b"pointsman.dead-letters", b"amq.gen-[!x]*",
    ),
    "expiration": (b"60000", b"0", b"-1", b"1e9", b"9" * 20),
    "type": (b"pointsman.request.v1", b"pointsman.request.v2", b"pointsman.decision.v1"),
    "user_id": (b"guest", b"boss"),
}  # fmt: skip
_KEYS = (
    *(name.encode() for name in (*Header, *DeadHeader)),
    b"traceparent", b"tracestate", b"x-death", b"x-first-death-reason", b"x-first-death-queue",
    b"x-delivery-count", b"x-delay", b"CC", b"BCC", b"", b"\0", b"\xc3\x28", b"k" * 255, b"own",
    b"pointsman-", b"pointsman-dead-more",
)  # fmt: skip


def short(raw: bytes) -> bytes:
    """A short string."""
    return bytes((len(raw),)) + raw


def long(raw: bytes) -> bytes:
    """A long string, a table or an array."""
    return struct.pack(">I", len(raw)) + raw


def content_header(fields: dict[str, bytes], body_size: int) -> bytes:
    """The header that has just these fields."""
    flags = sum(1 << _BITS[name] for name in fields)
    ordered = b"".join(fields[name] for name in _BITS if name in fields)
    return struct.pack(">HHQH", _BASIC, 0, body_size, flags) + ordered


def random_fields(chance: Random, message_id: bytes | None) -> dict[str, bytes]:
    """Some of the properties, each with any value; the message id is given."""
    fields: dict[str, bytes] = {}
    if message_id is not None:
        fields["message_id"] = short(message_id)
    odd = _BITS if chance.random() < 0.3 else ()
    for name in odd:
        if name in {"message_id", "headers"} or chance.random() > 0.1:
            continue
        fields[name] = _field(name, chance)
    if chance.random() < 0.2:
        entries = chance.choice((1, 1, 2, 3, 8))
        fields["headers"] = long(b"".join(_entry(chance) for _ in range(entries)))
    return fields


def _field(name: str, chance: Random) -> bytes:
    if name in {"delivery_mode", "priority"}:
        return bytes((chance.choice((0, 1, 2, 9, 255)),))
    if name == "timestamp":
        return _seconds(chance)
    return short(chance.choice(_OWN_TEXTS.get(name, ()) + _some_texts(chance)))


def _some_texts(chance: Random) -> tuple[bytes, ...]:
    return (chance.choice(_TEXTS),)


def _seconds(chance: Random) -> bytes:
    chosen = (
        0,
        1,
        1_767_225_600,
        1_767_225_600_000,
        1_767_225_600_000_000,
        2**32,
        2**63,
        2**64 - 1,
    )
    return struct.pack(">Q", chance.choice(chosen))


def _entry(chance: Random) -> bytes:
    return short(chance.choice(_KEYS)) + _value(chance, depth=0)


def _value(chance: Random, depth: int) -> bytes:
    kind = chance.choice(tuple(_VALUES))
    if depth > 3 and kind in {b"F", b"A"}:
        return b"V"
    if depth == 0 and chance.random() < 0.02:
        return _extreme(chance)
    return kind + _VALUES[kind](chance, depth)


def _extreme(chance: Random) -> bytes:
    """As deep or as large as a frame holds."""
    if chance.random() < 0.7:
        return b"F" + nested(chance.choice((10, 63, 64, 65, 66, 900, _DEEPEST)))
    kind, item = chance.choice(
        ((b"S", b"\0"), (b"S", b'"'), (b"x", b"\xff"), (b"A", b"V"), (b"A", b"A\0\0\0\0"))
    )
    return kind + long(item * (_LARGEST // len(item)))


def nested(depth: int) -> bytes:
    """Tables within tables."""
    value = long(b"")
    for _ in range(depth):
        value = long(b"\x01kF" + value)
    return value


def _bits(size: int) -> Callable[[Random, int], bytes]:
    def draw(chance: Random, depth: int) -> bytes:
        del depth
        odd = (b"\0" * size, b"\xff" * size, b"\x7f" + b"\xff" * (size - 1), b"\x80" + b"\0" * size)
        ones = (b"\0" * size + b"\x01")[-size:]
        return chance.choice((*odd, ones, chance.randbytes(size)))[:size]

    return draw


def _text(chance: Random, depth: int) -> bytes:
    del depth
    size = chance.choice((1, 1, 1, 1, 20, 300))
    return long(chance.choice((*_TEXTS, b"00-abc-def-01", b"2026-01-01T00:00:00", b"7")) * size)


def _table(chance: Random, depth: int) -> bytes:
    entries = range(chance.randrange(4))
    return long(b"".join(short(chance.choice(_KEYS)) + _value(chance, depth + 1) for _ in entries))


def _array(chance: Random, depth: int) -> bytes:
    return long(b"".join(_value(chance, depth + 1) for _ in range(chance.randrange(4))))


_VALUES: dict[bytes, Callable[[Random, int], bytes]] = {
    b"t": _bits(1),
    b"b": _bits(1),
    b"B": _bits(1),
    b"s": _bits(2),
    b"u": _bits(2),
    b"I": _bits(4),
    b"i": _bits(4),
    b"l": _bits(8),
    b"L": _bits(8),
    b"f": _bits(4),
    b"d": _bits(8),
    b"D": _bits(5),
    b"T": lambda chance, _: _seconds(chance),
    b"V": lambda *_: b"",
    b"S": _text,
    b"x": _text,
    b"F": _table,
    b"A": _array,
}


def damaged(header: bytes, chance: Random) -> bytes:
    """The header with some bytes changed behind what the broker itself writes, its size."""
    changed = bytearray(header)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(12, len(changed))
        changed[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(changed[: chance.choice((len(changed), len(changed), chance.randrange(14, 40)))])
