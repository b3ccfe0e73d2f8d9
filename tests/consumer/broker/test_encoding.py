import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import body, commands
from pamqp.frame import unmarshal
from pamqp.header import ContentHeader

from consumer.broker.decoding import read_properties
from consumer.broker.encoding import fitted, publish_frames
from consumer.broker.errors import UnsendableMessage
from consumer.broker.messages import Outgoing, Properties

FRAME_MAX = 4096
FRAME_HEAD = 7


def outgoing(properties: Properties | None = None, content: bytes = b"{}") -> Outgoing:
    return Outgoing(
        exchange="pointsman.decisions",
        routing_key="task.accept",
        body=content,
        properties=properties or Properties(message_id="m"),
    )


def read_by_another_client(written: bytes) -> list[Any]:
    frames = []
    while written:
        size, channel, frame = unmarshal(written)
        assert channel == 7
        frames.append(frame)
        written = written[size:]
    return frames


def read_back(properties: Properties) -> Properties:
    written = publish_frames(outgoing(properties), 7, FRAME_MAX)
    first, _, _ = unmarshal(written)
    (size,) = struct.unpack_from(">I", written, first + 3)
    return read_properties(written[first + FRAME_HEAD : first + FRAME_HEAD + size])


def test_another_client_reads_what_is_written() -> None:
    shared: dict[str, Any] = {
        "message_id": "m",
        "correlation_id": "c",
        "reply_to": "r",
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "timestamp": datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
        "user_id": "u",
        "app_id": "a",
        "expiration": "5",
        "priority": 3,
        "headers": {"count": 2, "text": "ä"},
    }
    properties = Properties(type="t", **shared)

    method, header, content = read_by_another_client(
        publish_frames(outgoing(properties), 7, FRAME_MAX)
    )

    assert isinstance(method, commands.Basic.Publish)
    assert (method.exchange, method.routing_key) == ("pointsman.decisions", "task.accept")
    assert method.mandatory
    assert isinstance(header, ContentHeader)
    assert header.body_size == 2
    expected = commands.Basic.Properties(message_type="t", delivery_mode=2, **shared)
    assert header.properties == expected
    assert isinstance(content, body.ContentBody)
    assert content.value == b"{}"


def test_a_body_that_is_larger_than_a_frame_goes_in_several() -> None:
    content = bytes(range(256)) * 40

    _, header, *parts = read_by_another_client(
        publish_frames(outgoing(content=content), 7, FRAME_MAX)
    )

    assert header.body_size == len(content)
    assert len(parts) == 3
    assert b"".join(part.value for part in parts) == content


def test_an_empty_body_takes_no_frame() -> None:
    frames = read_by_another_client(publish_frames(outgoing(content=b""), 7, FRAME_MAX))

    assert len(frames) == 2


def test_messages_are_mandatory_as_asked_but_never_for_a_direct_reply() -> None:
    asked = outgoing()
    direct = replace(asked, exchange="", routing_key="amq.rabbitmq.reply-to.g1h2")

    flags = [
        read_by_another_client(publish_frames(message, 7, FRAME_MAX))[0].mandatory
        for message in (asked, replace(asked, mandatory=False), direct)
    ]

    assert flags == [True, False, False]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone is added
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=5))
def test_headers_come_back_as_they_were_written(headers: Mapping[str, Any]) -> None:
    assert read_back(Properties(headers=headers)).headers == headers


def test_bytes_come_back_as_bytes() -> None:
    assert read_back(Properties(headers={"raw": b"\xff"})).headers == {"raw": b"\xff"}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (outgoing(Properties(message_id="x" * 256)), "more than 255 bytes"),
        (outgoing(Properties(message_id="ä" * 128)), "more than 255 bytes"),
        (outgoing(Properties(correlation_id="\ud800")), "is no text"),
        (outgoing(Properties(priority=256)), "not 256"),
        (outgoing(Properties(headers={"k": object()})), "can't hold a object"),
        (outgoing(Properties(headers={"k": 2**63})), "can't hold the number"),
        (outgoing(Properties(headers={"k" * 256: 1})), "more than 255 bytes"),
        (outgoing(Properties(headers={"k": "x" * FRAME_MAX})), "a frame holds 4088"),
        (
            outgoing(Properties(timestamp=datetime(1970, 1, 1, tzinfo=UTC) - timedelta(days=1))),
            "before 1970",
        ),
    ],
)
def test_what_amqp_can_not_hold_is_refused_before_anything_is_sent(
    message: Outgoing, told: str
) -> None:
    with pytest.raises(UnsendableMessage, match=told):
        publish_frames(message, 7, FRAME_MAX)


def test_a_message_that_fits_is_left_as_it_is() -> None:
    fitting = outgoing(Properties(message_id="m", headers={"a": "x" * 2_000, "b": 1}))

    assert fitted(fitting, FRAME_MAX) == fitting


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"a": "x" * 5_000, "b": 1}, {"b"}),
        ({"a": "x" * 2_000, "b": "x" * 2_100, "c": "x" * 100}, {"a", "c"}),
        ({"a": object(), "b": 2**64, "c": "\ud800", "d" * 256: 1, "e": None}, {"e"}),
        ({"a": ["x" * 1_000] * 5, "b": {"c": "x" * 5_000}}, set()),
    ],
)
def test_headers_go_that_amqp_can_not_hold_and_then_the_longest(
    headers: dict[str, Any], kept: set[str]
) -> None:
    long = "ä" * 127
    full = Properties(
        message_id=long, correlation_id=long, reply_to=long, type=long, headers=headers
    )
    message = fitted(outgoing(full), FRAME_MAX)

    assert message.properties.headers.keys() == kept
    publish_frames(message, 7, FRAME_MAX)


@given(st.lists(st.integers(min_value=0, max_value=600), max_size=30))
def test_what_fits_is_never_left_out_for_nothing(lengths: list[int]) -> None:
    headers = {str(number): "x" * length for number, length in enumerate(lengths)}
    kept = fitted(outgoing(Properties(headers=headers)), FRAME_MAX)

    publish_frames(kept, 7, FRAME_MAX)
    left_out = [len(headers[name]) for name in headers.keys() - kept.properties.headers.keys()]
    if left_out:
        size = len(publish_frames(kept, 7, FRAME_MAX))
        assert size + min(left_out) + 300 > FRAME_MAX
