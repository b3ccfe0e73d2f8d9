from datetime import timedelta

from consumer.explaining.attempts import Standing, attempts_of
from consumer.wire.decisions import Verdict
from persistence.history import RunHistory
from persistence.records import DecisionRecord, Forward
from persistence.schema import LetterStatus
from rules.runs import TaskRun
from tests.consumer.explaining.records import (
    NOON,
    decided,
    failing,
    letter,
    no_slot,
    run_in,
    story,
)

LATER = NOON + timedelta(minutes=1)


def standings(run: TaskRun, *records: DecisionRecord, seconds: float = 0) -> list[Standing]:
    told = story(run, *records, now=NOON + timedelta(seconds=seconds))
    return [each.standing for each in told.attempts]


def test_a_delay_waits_until_its_time_has_come_and_is_overdue_some_seconds_after() -> None:
    run = run_in(None)
    delay = no_slot(run)
    assert standings(run, delay, seconds=29) == [Standing.WAITING]
    assert standings(run, delay, seconds=32) == [Standing.WAITING]
    assert standings(run, delay, seconds=36) == [Standing.OVERDUE]


def test_a_delay_with_a_next_attempt_came_back() -> None:
    run = run_in(None)
    again = no_slot(run, attempt=1, at=NOON + timedelta(seconds=30))
    expected = [Standing.CAME_BACK, Standing.WAITING]
    assert standings(run, no_slot(run), again, seconds=40) == expected


def test_a_delay_whose_next_attempt_failed_so_far_came_back_too() -> None:
    run = run_in(None)
    told = story(run, no_slot(run), undecided=(failing(attempt=1, updated=LATER),))
    assert [each.standing for each in told.attempts] == [Standing.CAME_BACK, Standing.UNFINISHED]


def test_another_request_does_not_bring_a_delay_back() -> None:
    run = run_in(None)
    other = decided(run, Verdict.ABORT, request_id="other", attempt=0, at=LATER)
    assert standings(run, no_slot(run), other) == [Standing.WAITING, Standing.SETTLED]


def test_a_delay_that_was_returned_is_its_senders() -> None:
    run = run_in(None)
    assert standings(run, no_slot(run, forward=Forward.NONE)) == [Standing.RETURNED]


def test_a_letter_that_was_answered_changes_nothing_about_its_attempt() -> None:
    run = run_in(None)
    answered = letter(run, status=LetterStatus.ANSWERED)
    told = story(run, no_slot(run), letters=(answered,))
    assert [each.standing for each in told.attempts] == [Standing.WAITING]
    reused = story(run, letters=(answered,))
    assert [each.standing for each in reused.attempts] == [Standing.SETTLED]


def test_a_dead_letter_belongs_to_its_attempt_on_record_or_not() -> None:
    run = run_in(None)
    dead = decided(run, Verdict.ABORT, code="rule-error", forward=Forward.DEAD_LETTER)
    assert standings(run, dead) == [Standing.DEAD_LETTER]
    [attempt] = story(run, dead, letters=(letter(run),)).attempts
    assert attempt.standing is Standing.DEAD_LETTER
    assert [each.error for each in attempt.letters] == ["division by zero"]


def test_a_dead_letter_without_a_decision_is_an_attempt_of_its_own() -> None:
    run = run_in(None)
    undelivered = letter(run, "other", attempt=None, dead_at=LATER)
    known, dead = story(run, no_slot(run), letters=(undelivered,)).attempts
    assert (known.request_id, known.letters) == ("r", ())
    assert (dead.request_id, dead.attempt, dead.at) == ("other", 0, LATER)
    assert (dead.standing, dead.proposed, dead.body) == (Standing.DEAD_LETTER, None, {})


def test_attempts_stand_in_the_order_in_which_they_were_last_heard_of() -> None:
    run = run_in(None)
    history = RunHistory(
        run=run,
        decisions=(no_slot(run, request_id="b", at=LATER), no_slot(run, request_id="c")),
        undecided=(failing("a", updated=NOON + timedelta(seconds=1)),),
    )
    order = [each.request_id for each in attempts_of(history, (), NOON)]
    assert order == ["c", "a", "b"]
