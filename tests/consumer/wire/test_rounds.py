import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.wire.names import MAX_ORIGINAL_BYTES
from consumer.wire.requests import Request
from consumer.wire.rounds import round_properties
from tests.consumer.wire.messages import read


def test_only_what_is_let_through_goes_round_again() -> None:
    came = read(
        reply_to="amq.gen-1",
        correlation_id="c-1",
        type="pointsman.request.v1",
        content_type="application/json",
        user_id="producer",
        expiration="1000",
        app_id="app",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        headers={"traceparent": "00-a-b-01", "CC": ["x"], "x-death": [{"count": 1}], "own": 1},
    )
    sent = round_properties(came.envelope, attempt=3, failures=1)
    assert (sent.message_id, sent.reply_to, sent.correlation_id) == ("r-1", "amq.gen-1", "c-1")
    assert (sent.type, sent.content_type) == ("pointsman.request.v1", "application/json")
    assert (sent.user_id, sent.expiration, sent.app_id, sent.timestamp) == (None,) * 4
    assert set(sent.headers) == {
        "traceparent",
        "pointsman-request-id",
        "pointsman-attempt",
        "pointsman-failures",
        "pointsman-original",
    }
    assert sent.headers["pointsman-attempt"] == 3
    assert sent.headers["pointsman-failures"] == 1
    assert sent.headers["pointsman-request-id"] == "r-1"


def test_what_else_came_with_the_message_is_told_in_one_header() -> None:
    came = read(user_id="producer", expiration="1000", headers={"CC": ["x"], "raw": b"\xff"})
    original = round_properties(came.envelope, attempt=1, failures=0).headers["pointsman-original"]
    told = json.loads(original)
    assert (told["user_id"], told["expiration"]) == ("producer", "1000")
    assert told["headers"]["CC"] == ["x"]


def test_what_came_at_first_is_still_told_after_many_rounds() -> None:
    first = round_properties(read(user_id="producer").envelope, attempt=1, failures=0)
    again = read(headers=dict(first.headers))
    second = round_properties(again.envelope, attempt=2, failures=0)
    assert second.headers["pointsman-original"] == first.headers["pointsman-original"]


def test_the_header_about_the_original_is_cut() -> None:
    came = read(headers={"long": "é" * MAX_ORIGINAL_BYTES})
    original = round_properties(came.envelope, attempt=1, failures=0).headers["pointsman-original"]
    assert MAX_ORIGINAL_BYTES - 2 <= len(original.encode()) <= MAX_ORIGINAL_BYTES


def test_headers_nested_beyond_reason_are_told_somehow() -> None:
    nested: list[object] = []
    for _ in range(900):
        nested = [nested]
    came = read(headers={"deep": nested})
    assert round_properties(came.envelope, attempt=1, failures=0).headers["pointsman-original"]


def test_nothing_is_said_of_an_original_that_had_nothing_else() -> None:
    assert (
        "pointsman-original" not in round_properties(read().envelope, attempt=1, failures=0).headers
    )


def original_of(message: Request) -> str | None:
    headers = round_properties(message.envelope, attempt=1, failures=0).headers
    told: str | None = headers.get("pointsman-original")
    return told


OURS = {"pointsman-request-id": "r-1", "pointsman-attempt": 1, "pointsman-original": '{"a":1}'}


def test_what_the_broker_adds_on_the_way_is_no_strangers() -> None:
    deaths = {"x-death": [{"count": 1}], "x-delivery-count": 1, "timestamp_in_ms": 1}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert original_of(read(headers=OURS | deaths, timestamp=at)) == '{"a":1}'
    without = {name: value for name, value in OURS.items() if name != "pointsman-original"}
    assert original_of(read(headers=without | deaths)) is None


@pytest.mark.parametrize(
    "properties",
    [
        {"headers": {"pointsman-original": '{"a":1}'}},
        {"headers": OURS | {"pointsman-request-id": "another"}},
        {"headers": OURS | {"own": 1}},
        {"headers": OURS, "user_id": "joe"},
        {"headers": OURS, "expiration": "1000"},
    ],
)
def test_a_stranger_can_not_say_in_our_name_what_a_message_came_with(
    properties: dict[str, Any],
) -> None:
    original = original_of(read(**properties))
    assert original is not None
    told = json.loads(original)
    assert told["headers"]["pointsman-original"] == '{"a":1}'
    assert {*told} - {"headers"} == {*properties} - {"headers"}
