"""What looks like a fault and is none."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from consumer.worker.setbacks import CONDEMNED_AT
from persistence.records import BegunRecord
from persistence.schema import LetterStatus
from tests.chaos.checker import ViolationKind, check
from tests.chaos.checking.ledger import digest
from tests.chaos.checking.planting.letters import an_accepted_request_is_a_dead_letter
from tests.chaos.checking.planting.planted import Plant, exchanged, with_rows
from tests.chaos.checking.planting.requests import (
    a_request_is_lost,
    an_innocent_request_is_condemned,
    two_requests_change_places,
)
from tests.chaos.checking.sound.simulation import sound_history
from tests.chaos.history import History, Sent


@pytest.fixture(scope="module")
def sound() -> History:
    return asyncio.run(sound_history(1))


def planted(plant: Plant, sound: History) -> tuple[History, str]:
    """The history with the fault, and the request that is named; it is seen to be one."""
    faulty = plant(sound, Random(1))  # noqa: S311  a place is no secret
    assert check(faulty.history) != []
    [(_, subject)] = faulty.named
    return faulty.history, subject.partition("/")[0]


def with_sent(history: History, request_id: str, change: Callable[[Sent], Sent]) -> History:
    [sent] = [each for each in history.sent if each.request_id == request_id]
    return replace(history, sent=exchanged(history.sent, sent, change(sent)))


def with_count(history: History, request_id: str, *, begun: int, failures: int) -> History:
    [sent] = [each for each in history.sent if each.request_id == request_id]
    assert sent.run_id is not None
    counted = BegunRecord(
        request_id=request_id,
        attempt=0,
        run_id=sent.run_id,
        body_sha256=b"",
        user_id=None,
        begun=begun,
        failures=failures,
    )
    return with_rows(history, begun=[*history.rows.begun, counted])


def test_what_the_broker_never_confirmed_may_be_lost(sound: History) -> None:
    history, request_id = planted(a_request_is_lost, sound)
    assert check(with_sent(history, request_id, lambda sent: replace(sent, confirmed=False))) == []


def test_a_forward_need_not_be_marked_where_one_sees_that_it_arrived(sound: History) -> None:
    unmarked = [replace(record, forwarded=False) for record in sound.rows.decisions]
    assert check(with_rows(sound, decisions=unmarked)) == []


def test_what_was_begun_too_often_may_be_condemned(sound: History) -> None:
    history, request_id = planted(an_innocent_request_is_condemned, sound)
    attempts = [each for each in sound.rows.decisions if each.request_id == request_id]
    assert len(attempts) == 1
    assert check(with_count(history, request_id, begun=CONDEMNED_AT, failures=0)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: replace(sent, copies=2),
        lambda sent: replace(sent, confirmed=False),
        lambda sent: replace(sent, detoured=True),
        lambda sent: replace(sent, lane=99),
    ],
    ids=["sent twice", "never confirmed", "on a detour", "by another lane"],
)
def test_a_place_may_be_another_that_is_not_promised(
    sound: History, change: Callable[[Sent], Sent]
) -> None:
    history, request_id = planted(two_requests_change_places, sound)
    assert check(with_sent(history, request_id, change)) == []


def test_what_failed_and_what_came_after_it_take_their_places_anew(sound: History) -> None:
    history, request_id = planted(two_requests_change_places, sound)
    [sent] = [each for each in history.sent if each.request_id == request_id]
    first = min(
        (each for each in history.sent if each.run_id == sent.run_id and each.request_id),
        key=lambda each: each.position,
    )
    assert check(with_count(history, str(first.request_id), begun=0, failures=1)) == []


def test_what_came_before_a_failure_has_its_place(sound: History) -> None:
    history, request_id = planted(two_requests_change_places, sound)
    [sent] = [each for each in history.sent if each.request_id == request_id]
    later = replace(
        sent, request_id="later", position=len(history.sent), confirmed=False, body=b"later"
    )
    failed = with_count(replace(history, sent=[*history.sent, later]), "later", begun=0, failures=1)
    assert [violation.kind for violation in check(failed)] == [ViolationKind.OUT_OF_ORDER]


def test_the_broker_may_have_made_a_dead_letter_of_what_was_decided(sound: History) -> None:
    history, letter_id = planted(an_accepted_request_is_a_dead_letter, sound)
    [letter] = [each for each in history.rows.letters if each.letter_id == letter_id]
    record = next(
        each
        for each in history.rows.decisions
        if (each.request_id, each.attempt) == (letter.request_id, letter.attempt)
    )
    [sent] = [each for each in history.sent if digest(each) == record.body_sha256]
    answered = replace(letter, reason="undelivered", status=LetterStatus.ANSWERED, body=sent.body)
    letters = exchanged(history.rows.letters, letter, answered)
    assert check(with_rows(history, letters=letters)) == []
