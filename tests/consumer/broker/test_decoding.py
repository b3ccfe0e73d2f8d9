import struct
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import commands
from pamqp.header import ContentHeader

from consumer.broker.decoding import (
    MAX_HEADER_DEPTH,
    as_published,
    read_body_size,
    read_properties,
)
from consumer.broker.errors import UndecodableHeader
from consumer.broker.messages import Properties
from tests.fuzz.headers import content_header, damaged, random_fields

HEADERS_FLAG = 1 << 13
MESSAGE_ID_FLAG = 1 << 7
TIMESTAMP_FLAG = 1 << 6


def header(flags: int, fields: bytes) -> bytes:
    return struct.pack(">HHQH", 60, 0, 0, flags) + fields


def table(entries: bytes) -> bytes:
    return struct.pack(">I", len(entries)) + entries


def written_by_another_client(headers: Mapping[str, Any]) -> bytes:
    return ContentHeader(0, 0, commands.Basic.Properties(headers=dict(headers))).marshal()


def tables_within(depth: int) -> bytes:
    value = table(b"")
    for _ in range(depth):
        value = table(b"\x01kF" + value)
    return value


def nested(depth: int) -> bytes:
    return header(HEADERS_FLAG, tables_within(depth))


def test_all_properties_are_read_as_another_client_wrote_them() -> None:
    moment = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    written = ContentHeader(
        0,
        1234,
        commands.Basic.Properties(
            content_type="application/json",
            content_encoding="utf-8",
            headers={"trace": "ä"},
            delivery_mode=2,
            priority=3,
            correlation_id="c",
            reply_to="r",
            expiration="1000",
            message_id="m",
            timestamp=moment,
            message_type="t",
            user_id="u",
            app_id="a",
        ),
    ).marshal()

    assert read_body_size(written) == 1234
    assert read_properties(written) == Properties(
        content_type="application/json",
        content_encoding="utf-8",
        headers={"trace": "ä"},
        priority=3,
        correlation_id="c",
        reply_to="r",
        expiration="1000",
        message_id="m",
        timestamp=moment,
        type="t",
        user_id="u",
        app_id="a",
    )


def test_a_message_without_properties_has_none() -> None:
    assert read_properties(header(0, b"")) == Properties()


def test_header_values_keep_their_types() -> None:
    headers = {
        "text": "grüße",
        "yes": True,
        "byte": -5,
        "short": -300,
        "unsigned short": 40_000,
        "integer": -70_000,
        "unsigned": 3_000_000_000,
        "long": -(2**40),
        "nothing": None,
        "fraction": 0.5,
        "price": Decimal("3.14"),
        "when": datetime(2020, 1, 1, tzinfo=UTC),
        "raw": bytearray(b"\xff\x00"),
        "list": ["a", 1, {"deep": "er"}],
        "table": {"x": {"y": "z"}},
    }

    assert read_properties(written_by_another_client(headers)).headers == headers


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (b"B", b"\xff", 255),
        (b"L", b"\xff" * 8, -1),
        (b"d", struct.pack(">d", 0.1), 0.1),
        (b"S", struct.pack(">I", 1) + b"\xff", b"\xff"),
    ],
)
def test_types_that_only_some_clients_write_are_read_too(
    kind: bytes, raw: bytes, value: object
) -> None:
    written = header(HEADERS_FLAG, table(b"\x01k" + kind + raw))

    assert read_properties(written).headers == {"k": value}


def test_a_timestamp_in_milliseconds_is_taken_for_what_it_is() -> None:
    written = header(TIMESTAMP_FLAG, struct.pack(">Q", 1_700_000_000_500))

    assert read_properties(written).timestamp == datetime(
        2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC
    )


def test_headers_may_be_nested_so_deep() -> None:
    assert read_properties(nested(MAX_HEADER_DEPTH)).headers != {}


@pytest.mark.parametrize(
    "undecodable",
    [
        pytest.param(
            header(TIMESTAMP_FLAG, struct.pack(">Q", 1_700_000_000_000_000)),
            id="a timestamp in microseconds",
        ),
        pytest.param(header(MESSAGE_ID_FLAG, b"\x02\xc3\x28"), id="a message id that is not UTF-8"),
        pytest.param(
            header(HEADERS_FLAG, table(b"\x02\xc3\x28t\x01")), id="a header key that is not UTF-8"
        ),
        pytest.param(
            header(HEADERS_FLAG, table(b"\x01kT" + b"\xff" * 8)), id="an absurd header timestamp"
        ),
        pytest.param(nested(3_000), id="headers nested 3,000 deep"),
        pytest.param(nested(MAX_HEADER_DEPTH + 1), id="headers nested one too deep"),
        pytest.param(header(HEADERS_FLAG, b"\x00\x00\x00\xff"), id="a table cut short"),
        pytest.param(header(HEADERS_FLAG, b"\x00"), id="a table's length cut short"),
        pytest.param(
            header(HEADERS_FLAG, table(b"\x01kS\x00\x00\x00\xff")), id="a long string cut short"
        ),
        pytest.param(header(HEADERS_FLAG, table(b"\x01kq")), id="a type that does not exist"),
        pytest.param(header(HEADERS_FLAG, table(b"\x01k")), id="no type at all"),
        pytest.param(
            header(HEADERS_FLAG, table(b"\x01kb") + b"\x01"), id="a value beyond its table"
        ),
        pytest.param(header(MESSAGE_ID_FLAG, b"\x05abc"), id="a text cut short"),
        pytest.param(header(MESSAGE_ID_FLAG, b""), id="a text that is missing"),
        pytest.param(header(1, b""), id="more flags than properties"),
        pytest.param(b"\x00\x3c", id="no header at all"),
    ],
)
def test_what_can_not_be_read_is_one_error(undecodable: bytes) -> None:
    with pytest.raises(UndecodableHeader):
        read_properties(undecodable)


COUNT = b"\x10x-delivery-countl" + bytes(7)
BAD = b"\x02\xc3\x28t\x01"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(
            header(TIMESTAMP_FLAG, b"\xff" * 8),
            header(HEADERS_FLAG | TIMESTAMP_FLAG, table(COUNT + b"\x01") + b"\xff" * 8),
            id="no table at first",
        ),
        pytest.param(
            header(HEADERS_FLAG, table(BAD)),
            header(HEADERS_FLAG, table(COUNT + b"\x02" + BAD)),
            id="counted before the other headers",
        ),
        pytest.param(
            header(1 << 15 | HEADERS_FLAG, b"\x01a" + table(BAD)),
            header(1 << 15 | HEADERS_FLAG, b"\x01a" + table(BAD + COUNT + b"\xff")),
            id="counted behind them",
        ),
    ],
)
def test_a_header_that_can_not_be_decoded_is_known_again_when_it_is_redelivered(
    first: bytes, again: bytes
) -> None:
    assert as_published(first) == as_published(again)
    assert as_published(first) != as_published(first + b"\x01")


@pytest.mark.parametrize(
    "short", [b"", b"\x00\x3c", header(1 << 15, b""), header(HEADERS_FLAG, b"\x00\x00\x00\x01")]
)
def test_a_header_cut_short_is_known_by_all_its_bytes(short: bytes) -> None:
    assert as_published(short) == short


def test_a_header_that_only_looks_like_a_count_is_the_producers() -> None:
    one, other = (
        header(HEADERS_FLAG, table(b"\x11x-delivery-countl" + n * 8)) for n in (b"a", b"b")
    )
    assert as_published(one) != as_published(other)


@given(flags=st.integers(min_value=0, max_value=0xFFFF), fields=st.binary(max_size=300))
def test_no_bytes_whatever_lead_to_another_error(flags: int, fields: bytes) -> None:
    try:
        read_properties(header(flags, fields))
    except UndecodableHeader:
        return


@given(st.binary(max_size=300))
def test_nor_do_any_in_a_header_table(entries: bytes) -> None:
    try:
        read_properties(header(HEADERS_FLAG, table(entries)))
    except UndecodableHeader:
        return


@settings(derandomize=True, database=None, deadline=None)
@given(st.randoms(use_true_random=False))
def test_nor_does_a_header_in_which_something_was_damaged(chance: Random) -> None:
    try:
        read_properties(damaged(content_header(random_fields(chance, b"r-1"), 0), chance))
    except UndecodableHeader:
        return


def array(items: bytes) -> bytes:
    return header(HEADERS_FLAG, table(b"\x01kA" + table(items)))


COSTLY: dict[str, Callable[[int], bytes]] = {
    "nothings": lambda size: array(b"V" * size),
    "empty arrays": lambda size: array(b"A\0\0\0\0" * size),
    "empty tables": lambda size: array(b"F\0\0\0\0" * size),
    "decimals": lambda size: array(b"D\xff\x7f\xff\xff\xff" * size),
    "empty keys": lambda size: header(HEADERS_FLAG, table(b"\0V" * size)),
    "many deep ones": lambda size: array((b"F" + tables_within(60)) * (size // 60)),
}


@pytest.mark.parametrize("shape", COSTLY)
def test_what_a_header_costs_grows_with_its_length_only(shape: str) -> None:
    assert calls_for(COSTLY[shape](4_000)) <= 2 * calls_for(COSTLY[shape](2_000)) + 100


def calls_for(payload: bytes) -> int:
    """How many functions are called to read the header, or to find that it can't be read."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        read_properties(payload)
    except UndecodableHeader:
        return calls
    finally:
        sys.setprofile(None)
    return calls
