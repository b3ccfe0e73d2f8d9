from dataclasses import replace
from datetime import UTC, datetime

from consumer.dead_letters.filling import dead_letter
from consumer.dead_letters.letters import DeathCause, LetterWriter, letter_id
from rules.runs import RunKind
from tests.consumer.wire.messages import READER, RUN, delivery, read

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_letter_of_ours_is_read_as_it_was_written() -> None:
    came = read(reply_to="amq.gen-1").envelope
    cause = DeathCause.of("rule-error", KeyError("flag"))
    sent = LetterWriter("consumer-1").letter(came, cause, attempt=0, at=AT)
    letter = dead_letter(replace(came.delivery, body=sent.body, properties=sent.properties), READER)
    assert letter.letter_id == str(letter_id(came, 0))
    assert (letter.reason, letter.error_type, letter.error) == ("rule-error", "KeyError", "'flag'")
    assert (letter.request_id, letter.attempt, letter.attempts) == ("r-1", 0, 1)
    assert (letter.run_kind, letter.run_id, letter.body) == (RunKind.TASK, RUN, came.delivery.body)
    assert (letter.dead_at, letter.consumer) == (AT, "consumer-1")
    assert (letter.exchange, letter.routing_key) == ("pointsman.requests", "ab")
    assert letter.properties["reply_to"] == "amq.gen-1"
    assert "pointsman-dead-id" not in letter.properties["headers"]


def test_a_letter_that_the_broker_made_is_kept_too() -> None:
    forged = {
        "x-first-death-reason": "expired",
        "pointsman-dead-id": "another's",
        "pointsman-dead-reason": "rule-error",
    }
    letter = dead_letter(delivery(headers=forged), READER)
    assert (letter.reason, letter.request_id) == ("undelivered", "r-1")
    assert letter.letter_id != "another's"


def test_a_letter_with_headers_that_make_no_sense_is_kept_too() -> None:
    absurd = {
        "pointsman-dead-at": "yesterday",
        "pointsman-dead-attempts": 2**40,
        "pointsman-dead-reason": 17,
        "pointsman-dead-error": "a\0b",
    }
    letter = dead_letter(delivery(b"junk", headers=absurd), READER)
    assert (letter.reason, letter.attempts, letter.error) == ("undelivered", 1, "ab")
    assert letter.run_id is None
