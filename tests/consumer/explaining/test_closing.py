from datetime import timedelta
from typing import Any
from uuid import uuid4

from consumer.explaining.attempts import attempts_of
from consumer.explaining.closing import closing_line
from consumer.explaining.story import Story
from consumer.wire.decisions import Verdict
from persistence.history import RunHistory
from persistence.records import DecisionRecord, Forward
from rules.runs import TaskRun
from rules.states import AwaitingRetry, Completed, Pending, Running, Scheduled, StateType
from tests.consumer.explaining.records import (
    NOON,
    decided,
    failing,
    letter,
    limit_of,
    no_slot,
    run_in,
    story,
)

LATER = NOON + timedelta(minutes=1)


def aborted(run: TaskRun, **told: Any) -> DecisionRecord:
    said: dict[str, Any] = {
        "code": "limit-zero",
        "rule": "SecureTaskConcurrencySlots",
        "reason": "None may run.",
    }
    return decided(run, Verdict.ABORT, **said | told)


def test_a_run_that_waits_for_a_slot_is_told_whose_it_is_and_until_when() -> None:
    run, holder = run_in(None), run_in(Running())
    line = closing_line(story(run, no_slot(run), limits=(limit_of("db", 1, holder),)))
    assert line == (
        f"It waits for a slot of 'db' (limit 1, held by {holder.id}):"
        " RUNNING is proposed again by itself at 2026-01-01 12:00:30 UTC (in 30 s)."
    )


def test_of_many_holders_only_some_are_named() -> None:
    run, holders = run_in(None), [run_in(Running()) for _ in range(5)]
    line = closing_line(story(run, no_slot(run), limits=(limit_of("db", 5, *holders),)))
    assert str(holders[2].id) in line
    assert str(holders[3].id) not in line
    assert "2 more)" in line


def test_a_slot_that_has_become_free_is_told() -> None:
    run = run_in(None)
    line = closing_line(story(run, no_slot(run), limits=(limit_of("db", 1),)))
    assert line.startswith("It waits for a slot, and one is free by now: RUNNING is")


def test_a_limit_that_has_become_0_lets_nobody_hope() -> None:
    run = run_in(None)
    line = closing_line(story(run, no_slot(run), limits=(limit_of("db", 0),)))
    assert "'db' (limit 0 by now, so that it will be aborted)" in line


def test_a_run_that_waits_for_its_time_is_told_when_that_is() -> None:
    run = run_in(Scheduled(NOON + timedelta(hours=2)))
    delay = decided(run, Verdict.DELAY, code="scheduled", delay=7_200)
    assert closing_line(story(run, delay)) == (
        "It waits for its scheduled time:"
        " RUNNING is proposed again by itself at 2026-01-01 14:00:00 UTC (in 2 h)."
    )


def test_the_reason_of_another_rule_is_told_as_it_gave_it() -> None:
    run = run_in(Pending())
    delay = decided(
        run, Verdict.DELAY, code="over-budget", rule="TeamBudget", reason="Too dear", delay=60
    )
    line = closing_line(story(run, delay))
    assert line == (
        "It waits at the word of TeamBudget (over-budget: Too dear):"
        " RUNNING is proposed again by itself at 2026-01-01 12:01:00 UTC (in 1 min)."
    )


def test_what_should_have_come_back_points_to_the_consumer() -> None:
    run = run_in(None)
    line = closing_line(story(run, no_slot(run), now=LATER))
    assert "was to be proposed again at 2026-01-01 12:00:30 UTC (30 s ago)" in line
    assert "pointsman consume" in line


def test_of_several_requests_that_wait_the_next_one_is_told() -> None:
    run = run_in(None)
    first = no_slot(run, delay=60)
    second = no_slot(run, request_id="s", delay=20, proposed_type=StateType.CANCELLED)
    line = closing_line(story(run, first, second))
    assert "CANCELLED is proposed again by itself at 2026-01-01 12:00:20 UTC" in line
    assert line.endswith("; another request waits.")
    third = no_slot(run, request_id="t", delay=70)
    assert closing_line(story(run, first, second, third)).endswith("; 2 more requests wait.")


def test_a_request_that_fails_is_told_with_its_next_try() -> None:
    run = run_in(Pending())
    line = closing_line(story(run, undecided=(failing(),), now=LATER))
    assert "request r failed 2 times, the last time at 2026-01-01 12:00:00 UTC (1 min ago)" in line
    assert "tried again 2 s after that" in line


def test_a_request_that_was_begun_and_not_finished_is_told() -> None:
    run = run_in(Pending())
    line = closing_line(story(run, undecided=(failing(begun=1, failures=0),)))
    assert "request r was begun once" in line
    assert "not finished" in line


def test_an_aborted_proposal_is_why_a_run_did_not_start() -> None:
    run = run_in(Pending(timestamp=NOON))
    assert closing_line(story(run, aborted(run))) == (
        "It is PENDING (Pending) since 2026-01-01 12:00:00 UTC, and no request on it waits."
        " The last proposal, RUNNING, was aborted by SecureTaskConcurrencySlots (limit-zero):"
        " None may run."
    )


def test_a_dead_letter_is_told_with_the_abort_or_without() -> None:
    run = run_in(None)
    dead = aborted(run, code="rule-error", forward=Forward.DEAD_LETTER)
    line = closing_line(story(run, dead, letters=(letter(run),)))
    assert line.endswith("None may run. A dead letter keeps the request.")
    undelivered = closing_line(story(run, letters=(letter(run),)))
    assert undelivered.endswith("became a dead letter before it was decided.")


def test_a_delay_that_was_returned_is_for_the_sender_to_propose_again() -> None:
    run = run_in(None)
    line = closing_line(story(run, no_slot(run, forward=Forward.NONE)))
    assert line == (
        "It has no state yet, and no request on it waits. Its sender was told to propose RUNNING"
        " again at 2026-01-01 12:00:30 UTC (in 30 s): All slots are taken."
    )


def test_a_retry_that_nobody_proposes_is_told_to_wait_for_somebody() -> None:
    run = run_in(AwaitingRetry(NOON + timedelta(seconds=10)))
    rejected = decided(run, Verdict.REJECT, code="retry", state=run.state)
    line = closing_line(story(run, rejected))
    assert line == (
        "It is SCHEDULED (AwaitingRetry), due at 2026-01-01 12:00:10 UTC (in 10 s), and no request"
        " on it waits: somebody has to propose what comes next."
    )


def test_a_run_that_runs_or_has_ended_is_told_so_and_what_still_waits() -> None:
    running, ended = run_in(Running(timestamp=NOON)), run_in(Completed(timestamp=NOON))
    assert closing_line(story(running)) == "It is running, since 2026-01-01 12:00:00 UTC."
    line = closing_line(story(ended, no_slot(ended), aborted(ended, request_id="s", at=LATER)))
    assert line == (
        "It has ended: COMPLETED (Completed) at 2026-01-01 12:00:00 UTC. A request still waits:"
        " RUNNING is proposed again by itself at 2026-01-01 12:00:30 UTC (in 30 s)."
    )


def test_a_run_on_which_nothing_was_proposed() -> None:
    assert closing_line(story(run_in(None))) == ("It has no state yet, and no request on it waits.")


def test_a_run_that_was_never_made_is_told_with_the_reason() -> None:
    run_id = uuid4()
    refused = aborted(TaskRun(id=run_id), code="run-not-found", rule=None, reason="Unknown.")
    history = RunHistory(run=None, decisions=(refused,))
    attempts = attempts_of(history, (), NOON)
    told = Story(run_id=run_id, run=None, attempts=attempts, limits=(), now=NOON)
    assert closing_line(told) == (
        f"There is no run {run_id}. The last proposal, RUNNING, was aborted (run-not-found):"
        " Unknown."
    )
