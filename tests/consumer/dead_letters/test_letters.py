import struct
from dataclasses import replace
from datetime import UTC, datetime

from consumer.broker.messages import Properties
from consumer.dead_letters.letters import DeathCause, LetterWriter, letter_id
from consumer.wire.requests import Envelope
from tests.consumer.wire.messages import READER, delivery, read

AT = datetime(2026, 1, 1, tzinfo=UTC)
CAUSE = DeathCause.of("rule-error", KeyError("flag"))


def test_a_letter_keeps_the_body_and_tells_of_its_death() -> None:
    came = read().envelope
    letter = LetterWriter("pointsman@here:1").letter(came, CAUSE, attempt=2, at=AT)
    assert (letter.exchange, letter.body) == ("pointsman.dead-letters", came.delivery.body)
    told = {
        name.removeprefix("pointsman-dead-"): value
        for name, value in letter.properties.headers.items()
        if name.startswith("pointsman-dead-")
    }
    assert told == {
        "id": str(letter_id(came, 2)),
        "reason": "rule-error",
        "error-type": "KeyError",
        "error": "'flag'",
        "at": "2026-01-01T00:00:00+00:00",
        "attempts": 3,
        "exchange": "pointsman.requests",
        "routing-key": "ab",
        "consumer": "pointsman@here:1",
    }
    assert letter.properties.headers["pointsman-request-id"] == "r-1"


def test_a_very_long_error_is_cut() -> None:
    cause = DeathCause.of("failed", ValueError("x" * 100_000))
    letter = LetterWriter("c").letter(read().envelope, cause, attempt=0, at=AT)
    assert len(letter.properties.headers["pointsman-dead-error"]) == 4_000


def test_an_error_is_told_as_far_as_a_database_can_keep_it() -> None:
    assert DeathCause.of("failed", ValueError("a\0b\ud800c")).error == "ab\\ud800c"


def test_the_same_death_is_the_same_letter() -> None:
    assert letter_id(read().envelope, 0) == letter_id(read().envelope, 0)


def test_each_attempt_dies_its_own_death() -> None:
    assert letter_id(read().envelope, 0) != letter_id(read().envelope, 1)


def test_letters_without_a_request_id_are_told_apart_by_what_they_are() -> None:
    first = READER.read(delivery(b"junk", message_id=None)).envelope
    again = READER.read(replace(delivery(b"junk", message_id=None), tag=9)).envelope
    other = READER.read(delivery(b"other", message_id=None)).envelope
    assert letter_id(first, 0) == letter_id(again, 0)
    assert letter_id(first, 0) != letter_id(other, 0)


def test_letters_whose_headers_can_not_be_decoded_are_told_apart_by_their_bytes() -> None:
    def undecodable(header: bytes, content: bytes = b"{}") -> Envelope:
        raw = replace(delivery(content), properties=Properties(), raw_header=header)
        return READER.read(raw).envelope

    bad, other = (struct.pack(">HHQH", 60, 0, 2, 1 << 7) + bad for bad in (b"\1\xff", b"\1\xfe"))
    assert letter_id(undecodable(bad), 0) == letter_id(undecodable(bad), 0)
    assert letter_id(undecodable(bad), 0) != letter_id(undecodable(other), 0)
    assert letter_id(undecodable(bad), 0) != letter_id(undecodable(bad, b"[]"), 0)
