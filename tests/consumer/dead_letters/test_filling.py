from dataclasses import replace
from datetime import UTC, datetime

from consumer.dead_letters.filling import found_letter, stripped
from consumer.dead_letters.letters import DeathCause, LetterWriter, letter_id
from rules.runs import RunKind
from tests.consumer.wire.messages import READER, RUN, delivery, read

AT = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRED = {
    "x-first-death-reason": "expired",
    "x-death": [
        {
            "reason": "expired",
            "queue": "pointsman.requests.3",
            "time": AT,
            "exchange": "pointsman.requests",
            "routing-keys": ["ab"],
        }
    ],
}


def test_a_letter_of_ours_is_read_as_it_was_written() -> None:
    came = read(reply_to="amq.gen-1").envelope
    cause = DeathCause.of("rule-error", KeyError("flag"))
    sent = LetterWriter("consumer-1").letter(came, cause, attempt=0, at=AT)
    buried = replace(came.delivery, body=sent.body, properties=sent.properties)
    letter = found_letter(READER.read(buried))
    assert letter.letter_id == str(letter_id(came, 0))
    assert (letter.reason, letter.error_type, letter.error) == ("rule-error", "KeyError", "'flag'")
    assert (letter.request_id, letter.attempt, letter.attempts) == ("r-1", 0, 1)
    assert (letter.run_kind, letter.run_id, letter.body) == (RunKind.TASK, RUN, came.delivery.body)
    assert (letter.dead_at, letter.consumer) == (AT, "consumer-1")
    assert (letter.exchange, letter.routing_key) == ("pointsman.requests", "ab")
    assert letter.properties["reply_to"] == "amq.gen-1"
    assert "pointsman-dead-id" not in letter.properties["headers"]


def test_a_letter_that_the_broker_made_tells_what_the_broker_says() -> None:
    forged = {"pointsman-dead-id": "another's", "pointsman-dead-reason": "rule-error"}
    letter = found_letter(READER.read(delivery(user_id="joe", headers=EXPIRED | forged)), 2)
    assert (letter.reason, letter.request_id, letter.attempt) == ("undelivered", "r-1", 2)
    assert letter.letter_id == str(letter_id(read().envelope, 2))
    assert (letter.error_type, letter.dead_at) == ("UndeliveredError", AT)
    assert letter.error is not None
    assert letter.error.startswith("it expired in the queue pointsman.requests.3")
    assert (letter.exchange, letter.routing_key) == ("pointsman.requests", "ab")
    assert '"user_id":"joe"' in letter.properties["headers"]["pointsman-original"]


def test_the_same_letter_of_the_brokers_is_the_same_whenever_it_is_read() -> None:
    buried = delivery(headers=EXPIRED)
    again = replace(buried, redelivered=True, tag=9)
    assert found_letter(READER.read(buried)) == found_letter(READER.read(again))


def test_a_letter_with_headers_that_make_no_sense_is_kept_too() -> None:
    absurd = {
        "pointsman-dead-reason": "invalid",
        "pointsman-dead-at": "yesterday",
        "pointsman-dead-attempts": 2**40,
        "pointsman-dead-error": "a\0b",
        "pointsman-dead-consumer": 17,
    }
    letter = found_letter(READER.read(delivery(b"junk", headers=absurd)))
    assert (letter.reason, letter.attempts, letter.error) == ("invalid", 1, "ab")
    assert (letter.run_id, letter.consumer) == (None, None)


def test_a_stripped_letter_has_the_body_and_whose_it_is() -> None:
    letter = found_letter(READER.read(delivery(headers=EXPIRED)))
    bare = stripped(letter)
    assert (bare.letter_id, bare.body, bare.dead_at) == (letter.letter_id, letter.body, AT)
    assert (bare.request_id, bare.attempt, bare.run_id) == ("r-1", 0, RUN)
    assert (bare.error, bare.routing_key, bare.properties) == (None, None, {})
