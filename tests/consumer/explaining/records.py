"""Decisions on record, dead letters and limits, as tests of explanations make them up."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from consumer.explaining.attempts import attempts_of
from consumer.explaining.story import Story
from consumer.wire.decisions import Decision, RunSummary, Verdict
from persistence.dead_letters.values import RecordedLetter
from persistence.history import RunHistory, UndecidedAttempt
from persistence.limits import Holder, Limit
from persistence.records import DecisionRecord, Forward
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from rules.runs import Run, TaskRun
from rules.states import State, StateType

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SLOTS_RULE = "SecureTaskConcurrencySlots"


def run_in(state: State | None, **fields: Any) -> TaskRun:
    """A task run in that state."""
    run = TaskRun(id=uuid7(), state=state, **fields)
    if state is not None:
        run.state_type, run.state_name, run.version = state.type, state.name, 1
        run.state_timestamp = state.timestamp
    return run


def decided(
    run: Run, verdict: Verdict, *, request_id: str = "r", attempt: int = 0, **told: Any
) -> DecisionRecord:
    """A decision on a proposal of RUNNING, at noon; ``told`` are parts of it or of its record."""
    at: datetime = told.pop("at", NOON)
    delay: int | None = told.pop("delay", None)
    retry_at = None if delay is None else at + timedelta(seconds=delay)
    state: State | None = told.pop("state", None)
    body = Decision(
        request_id=request_id,
        attempt=attempt,
        decision=verdict,
        code=told.get("code"),
        reason=told.pop("reason", None),
        delay_seconds=delay,
        retry_at=retry_at,
        state=state,
        run=RunSummary.of(run),
        rule=told.get("rule"),
        decided_at=at,
    )
    record: dict[str, Any] = {
        "request_id": request_id,
        "attempt": attempt,
        "run_id": run.id,
        "run_kind": run.kind,
        "body_sha256": sha256(request_id.encode()).digest(),
        "user_id": None,
        "proposed_type": StateType.RUNNING,
        "decision": verdict.value,
        "code": None,
        "rule": None,
        "body": body.to_bytes(),
        "decided_at": at,
        "retry_at": retry_at,
        "forward": Forward.NONE if delay is None else Forward.DELAY,
        "forwarded": delay is not None,
    }
    return DecisionRecord(**record | told)


def no_slot(run: Run, **told: Any) -> DecisionRecord:
    """A delay of 30 s for want of a slot."""
    said: dict[str, Any] = {
        "code": "limit-reached",
        "rule": SLOTS_RULE,
        "reason": "All slots are taken.",
        "delay": 30,
    }
    return decided(run, Verdict.DELAY, **said | told)


def failing(request_id: str = "r", **counts: Any) -> UndecidedAttempt:
    """An attempt that failed twice, the last time at noon."""
    told: dict[str, Any] = {"attempt": 0, "begun": 0, "failures": 2, "updated": NOON}
    return UndecidedAttempt(request_id=request_id, **told | counts)


def letter(run: Run, request_id: str = "r", **told: Any) -> RecordedLetter:
    """An open dead letter of noon."""
    fields: dict[str, Any] = {
        "id": uuid7(),
        "letter_id": request_id,
        "status": LetterStatus.OPEN,
        "reason": "rule-error",
        "error_type": "ZeroDivisionError",
        "error": "division by zero",
        "request_id": request_id,
        "attempt": 0,
        "run_kind": run.kind,
        "run_id": run.id,
        "dead_at": NOON,
        "recorded_at": NOON,
        "closed_at": None,
    }
    return RecordedLetter(**fields | told)


def limit_of(tag: str, slots: int, *holders: Run) -> Limit:
    """A limit with these holders."""
    held = [
        Holder(task_run_id=run.id, name=run.name, state_type=run.state_type, taken_at=NOON)
        for run in holders
    ]
    return Limit(tag=tag, slots=slots, holders=tuple(held))


def story(
    run: Run,
    *decisions: DecisionRecord,
    undecided: tuple[UndecidedAttempt, ...] = (),
    letters: tuple[RecordedLetter, ...] = (),
    limits: tuple[Limit, ...] = (),
    now: datetime = NOON,
) -> Story:
    """A run's story, told at noon."""
    history = RunHistory(run=run, decisions=decisions, undecided=undecided)
    return Story(
        run_id=run.id,
        run=run,
        attempts=attempts_of(history, letters, now),
        limits=limits,
        now=now,
    )
