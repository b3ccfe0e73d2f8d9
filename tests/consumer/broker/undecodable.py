"""Content headers that other clients' readers die of."""

import struct
from dataclasses import dataclass

HEADERS = 1 << 13
MESSAGE_ID = 1 << 7
TIMESTAMP = 1 << 6


@dataclass(frozen=True, slots=True)
class Undecodable:
    """The property flags of a header, and the fields that they announce."""

    flags: int
    fields: bytes


def table(entries: bytes) -> bytes:
    """A header table."""
    return struct.pack(">I", len(entries)) + entries


def nested(depth: int) -> bytes:
    """Tables within tables."""
    value = table(b"")
    for _ in range(depth):
        value = table(b"\x01kF" + value)
    return value


KINDS = {
    "a timestamp in microseconds": Undecodable(TIMESTAMP, struct.pack(">Q", 1_700_000_000_000_000)),
    "a message id that is not UTF-8": Undecodable(MESSAGE_ID, b"\x02\xc3\x28"),
    "a header key that is not UTF-8": Undecodable(HEADERS, table(b"\x02\xc3\x28t\x01")),
    "an absurd header timestamp": Undecodable(HEADERS, table(b"\x01kT" + b"\xff" * 8)),
    "headers nested 3,000 deep": Undecodable(HEADERS, nested(3_000)),
}
