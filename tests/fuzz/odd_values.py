"""Values that a reader of JSON may stumble over."""

from collections.abc import Sequence
from copy import deepcopy
from random import Random

from tests.fuzz.json_nodes import Literal, Node, Object

TIMES = (
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:30+00:00",
    "2026-01-01T02:00:00+02:00",
    "2025-12-31T23:59:59.999999-23:59",
    "2026-01-01 00:00:00Z",
    "2026-01-01t00:00:00z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00.1234567891234Z",
    "2026-01-01T00:00Z",
    "2026-01-01",
    "20260101",
    "1767225600",
    "1e10",
    "12:00:00Z",
    "2026-06-30T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00 Europe/Paris",
    "2026-W01-1T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0002-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "9998-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "10000-01-01T00:00:00Z",
    "-2026-01-01T00:00:00Z",
    "infinity",
    "now",
)
UUIDS = (
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "0190B9B0-7D0A-7C2F-8F57-0123456789AB",
    "{0190b9b0-7d0a-7c2f-8f57-0123456789ab}",
    "urn:uuid:0190b9b0-7d0a-7c2f-8f57-0123456789ab",
    "0190b9b07d0a7c2f8f570123456789ab",
    " 0190b9b0-7d0a-7c2f-8f57-0123456789ab",
    "0190b9b0-7d0a-7c2f-8f57-0123456789a",
    "0190b9b0-7d0a-7c2f-8f57-0123456789abc",
    "\N{ARABIC-INDIC DIGIT ZERO}190b9b0-7d0a-7c2f-8f57-0123456789ab",
)
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\\u0000",
    "\ud800",
    "\udc00\ud800",
    "\U0010ffff",
    "\ufeff",
    "\u202e\u2066",
    "\x1b[2J\r\n",
    "é" * 1_000,
    "x" * 255,
    "x" * 256,
    "x" * 1_001,
    "k" * 2_001,
    "😀" * 500,
    "'; DROP TABLE run; --",
    "%s %(a)s {0} {x}",
    "RUNNING",
    "running",
    "AwaitingRetry",
    "Late",
    "Cached",
    "task",
    "flow",
    "retry",
    "return",
    "true",
    "null",
    "1",
)
NUMBERS = (
    0, -1, 1, 2, 255, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, 2**64, 10**300,
    0.1, -0.5, 1e308, 5e-324, 1e22, 1e-7,
)  # fmt: skip
LITERALS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"-0",
    b"-0.0",
    b"1e400",
    b"-1e999999999",
    b"1E+2",
    b"9" * 4_300,
    b"9" * 4_301,
    b"-" + b"9" * 5_000,
    b"0." + b"3" * 5_000,
    b"1" + b"0" * 400 + b".5",
    b"01",
    b"+1",
    b".5",
    b"1.",
    b"0x10",
    b"tru",
    b"True",
    b"None",
    b"undefined",
    b"",
    b"//",
    b"'single'",
    b'"open',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\\uDC00\\uD800"',
    b'"\\u00"',
    b'"\\x41"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"a\x00b"',
    b'"a\nb"',
    b"{}",
    b"[]",
    b'{"type": "unpersisted"}',
    b'{"type": "unpersisted", "type": 1}',
    b'{"":{"":[{}]}}',
    b"[,]",
    b"[1,]",
    b"{,}",
)
KEYS = (
    "run", "kind", "id", "state", "type", "name", "timestamp", "message", "data", "state_details",
    "scheduled_time", "cache_key", "cache_expiration", "flow_run_id", "task_run_id",
    "child_flow_run_id", "untrackable_result", "create", "tags", "policy", "retries", "retry_delay",
    "task_key", "dynamic_key", "deployment_id", "parent_task_run_id", "force", "parameters",
    "api-version", "client_version", "expected_state_id", "on_delay", "deadline",
    "", "\0", "Run", "run ", "__proto__", "\ud800", "x" * 300, "\N{CYRILLIC SMALL LETTER O}n_delay",
)  # fmt: skip
DEPTHS = (2, 30, 120, 190, 194, 195, 196, 197, 198, 199, 200, 201, 300, 1_000, 5_000, 100_000)


def deep(chance: Random) -> Literal:
    """A value within a value within a value, closed or not."""
    depth = chance.choice(DEPTHS)
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"":', b"}]")))
    return Literal(opening * depth + b"1" + closing * chance.choice((depth, depth, 0)))


_SORTS: tuple[Sequence[Node], ...] = (
    [Literal(raw) for raw in LITERALS],
    [Literal(raw) for raw in LITERALS],
    TEXTS,
    TEXTS,
    [text * 40 for text in TEXTS],
    NUMBERS,
    NUMBERS,
    TIMES,
    UUIDS,
    (None, True, False, [], Object([]), [None], ["a", "a"]),
)
_DEEP_ONES = 0.08


def odd_value(chance: Random) -> Node:
    """Something that may or may not be right where it is put."""
    if chance.random() < _DEEP_ONES:
        return deep(chance)
    return deepcopy(chance.choice(chance.choice(_SORTS)))
