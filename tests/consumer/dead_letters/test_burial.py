from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.dead_letters.burial import burial, reason

AT = datetime(2026, 1, 1, tzinfo=UTC)


def death(**told: Any) -> dict[str, Any]:
    """What a broker says of a request that expired."""
    said = {
        "count": 1,
        "reason": "expired",
        "queue": "pointsman.requests.3",
        "time": AT,
        "exchange": "pointsman.requests",
        "routing-keys": ["ab"],
    }
    return {"x-death": [said | told, {"reason": "expired", "queue": "pointsman.delay.2"}]}


def test_the_brokers_last_word_is_told() -> None:
    told = burial(death())
    assert told is not None
    assert (told.at, told.exchange, told.routing_key) == (AT, "pointsman.requests", "ab")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "it expired in the queue pointsman.requests.3"),
        ({"reason": "delivery_limit"}, "pointsman.requests.3 had delivered it as often as it may"),
        ({"reason": "maxlen"}, "the queue pointsman.requests.3 was full"),
        ({"reason": "moonlight"}, "the queue pointsman.requests.3 gave it up (moonlight)"),
        ({"queue": "pointsman.delay.0"}, "its delay was over, and no queue took it"),
    ],
)
def test_why_the_broker_did_it_is_told_in_words(said: dict[str, Any], sentence: str) -> None:
    told = burial(death(**said))
    assert told is not None
    assert sentence in str(told.error)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-death": []},
        {"x-death": "soon"},
        {"x-death": [7]},
        {"x-death": [{"time": 7, "routing-keys": [], "exchange": 1}]},
        {"pointsman-dead-reason": "because"},
        {"pointsman-dead-reason": 17},
        {"pointsman-dead-reason": ["failed"]},
        {"pointsman-dead-reason": "failed", "x-first-death-reason": "expired"},
    ],
)
def test_what_makes_no_sense_is_not_taken_for_a_letter_of_ours(headers: dict[str, Any]) -> None:
    told = burial(headers)
    assert told is not None
    assert (told.at, told.exchange, told.routing_key) == (None, None, None)


def test_a_letter_that_we_wrote_was_not_buried_by_the_broker() -> None:
    assert burial({"pointsman-dead-reason": "rule-error"}) is None


def test_a_letter_is_counted_by_our_reason_or_as_undelivered() -> None:
    assert reason({"pointsman-dead-reason": "rule-error"}) == "rule-error"
    assert reason({"pointsman-dead-reason": "because"}) == "undelivered"
    assert reason({}) == "undelivered"
