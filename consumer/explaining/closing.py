"""One line on where a run stands: what it waits for and until when, or why nothing goes on."""

from collections.abc import Sequence
from datetime import datetime

from consumer.explaining.attempts import Attempt, Standing
from consumer.explaining.story import Story
from consumer.explaining.wording import moment, moment_from, times
from consumer.wire.decisions import Verdict
from consumer.worker.setbacks import backoff_seconds
from persistence.limits import Limit
from rules.responses import DecisionCode
from rules.runs import Run
from rules.states import FINAL_STATES, StateType

_HOLDERS_NAMED = 3


def closing_line(story: Story) -> str:
    """Why the run is where it is, in one line."""
    run = story.run
    if run is None:
        return f"There is no run {story.run_id}.{_last_word(story)}"
    if run.state is not None and run.state.type in FINAL_STATES:
        ended = f"It has ended: {_state(run)} at {moment(run.state.timestamp)}."
        return f"{ended}{_coming_later(story)}"
    if run.state is not None and run.state.is_running():
        return f"It is running, since {moment(run.state.timestamp)}.{_coming_later(story)}"
    if coming := _coming(story):
        return f"It waits {_for_what(coming[0], story)}{_more(coming[1:])}"
    return f"{_idle(run, story.now)}{_last_word(story)}"


def _coming(story: Story) -> list[Attempt]:
    """The attempts that are still to be decided, the next one first."""
    coming = [
        each
        for each in story.attempts
        if each.standing in {Standing.WAITING, Standing.OVERDUE, Standing.UNFINISHED}
    ]
    return sorted(coming, key=lambda each: each.retry_at or each.at)


def _coming_later(story: Story) -> str:
    coming = _coming(story)
    if not coming:
        return ""
    first = coming[0]
    return f" A request still waits: {_when(first, story.now)}{_more(coming[1:])}"


def _more(others: Sequence[Attempt]) -> str:
    if not others:
        return "."
    return f"; {len(others)} more requests wait." if len(others) > 1 else "; another request waits."


def _for_what(attempt: Attempt, story: Story) -> str:
    when = _when(attempt, story.now)
    if attempt.undecided is not None:
        return f"for a request that is not decided yet: {when}"
    code, rule = attempt.body.get("code"), attempt.body.get("rule")
    if code == DecisionCode.SCHEDULED:
        return f"for its scheduled time: {when}"
    if code == DecisionCode.LIMIT_REACHED:
        return f"for {_slot(story)}: {when}"
    return f"at the word of {rule} ({code}: {_reason(attempt).rstrip('.')}): {when}"


def _when(attempt: Attempt, now: datetime) -> str:
    undecided, retry_at = attempt.undecided, attempt.retry_at
    if undecided is not None and undecided.failures:
        wait = backoff_seconds(undecided.failures)
        return (
            f"request {attempt.request_id} failed {times(undecided.failures)}, the last time at"
            f" {moment_from(undecided.updated, now)}, and is tried again {wait} s after that"
        )
    if undecided is not None:
        return (
            f"request {attempt.request_id} was begun {times(undecided.begun)}, the last time at"
            f" {moment_from(undecided.updated, now)}, and not finished"
        )
    proposed = attempt.proposed or "nothing"
    due = "soon" if retry_at is None else moment_from(retry_at, now)
    if attempt.standing is Standing.OVERDUE:
        return f"{proposed} was to be proposed again at {due}; see that 'pointsman consume' runs"
    return f"{proposed} is proposed again by itself at {due}"


def _slot(story: Story) -> str:
    full = story.full_limits()
    if not full:
        return "a slot, and one is free by now"
    return "a slot of " + ", ".join(_held(limit) for limit in full)


def _held(limit: Limit) -> str:
    if limit.slots == 0:
        return f"{limit.tag!r} (limit 0 by now, so that it will be aborted)"
    named = [str(holder.task_run_id) for holder in limit.holders[:_HOLDERS_NAMED]]
    if more := len(limit.holders) - len(named):
        named.append(f"{more} more")
    held = f", held by {', '.join(named)}" if named else ""
    return f"{limit.tag!r} (limit {limit.slots}{held})"


def _idle(run: Run, now: datetime) -> str:
    """Where a run is that no request waits for."""
    state = run.state
    if state is None:
        return "It has no state yet, and no request on it waits."
    due = state.state_details.scheduled_time
    if state.type is StateType.SCHEDULED and due is not None:
        return (
            f"It is {_state(run)}, due at {moment_from(due, now)}, and no request on it waits:"
            " somebody has to propose what comes next."
        )
    return f"It is {_state(run)} since {moment(state.timestamp)}, and no request on it waits."


def _last_word(story: Story) -> str:
    """What was said last, where it is the reason why nothing goes on."""
    if not story.attempts:
        return ""
    last = story.attempts[-1]
    proposed = last.proposed or "nothing"
    if last.standing is Standing.RETURNED and last.retry_at is not None:
        due = moment_from(last.retry_at, story.now)
        return f" Its sender was told to propose {proposed} again at {due}: {_reason(last)}"
    if last.body.get("decision") == Verdict.ABORT:
        rule = last.body.get("rule")
        by = f" by {rule}" if rule else ""
        letter = (
            " A dead letter keeps the request." if last.standing is Standing.DEAD_LETTER else ""
        )
        return (
            f" The last proposal, {proposed}, was aborted{by} ({last.body.get('code')}):"
            f" {_reason(last)}{letter}"
        )
    if last.standing is Standing.DEAD_LETTER:
        return " Its last request became a dead letter before it was decided."
    return ""


def _reason(attempt: Attempt) -> str:
    reason = str(attempt.body.get("reason") or "no reason is on record")
    return reason if reason.endswith(".") else f"{reason}."


def _state(run: Run) -> str:
    return "without a state" if run.state is None else f"{run.state.type} ({run.state.name})"
