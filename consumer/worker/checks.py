"""What is checked before any rule: has the request a claim, was it decided, may it be governed?"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from consumer.wire.decisions import Verdict
from consumer.wire.names import Code
from consumer.wire.requests import Envelope, Reading, Request
from persistence.records import DecisionRecord
from persistence.session import Session
from rules.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a message's headers are worth: only what the record bears out."""

    attempt: int = 0
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is aborted before any rule sees it."""

    code: Code
    reason: str


def standing(session: Session, envelope: Envelope) -> Standing:
    """Which attempt this is, and who sent the request.

    A claim to be attempt k > 0 counts where attempt k - 1 of the same body stands recorded as a
    delay, or as being replayed. The user that the broker checked is kept in the record, since it
    can't travel with a message that is published by someone else.
    """
    request_id = envelope.request_id
    if request_id is None or not envelope.sent_round:
        return Standing(user_id=envelope.user_id)
    if envelope.claimed_attempt > 0:
        earlier = session.recorded(request_id, envelope.claimed_attempt - 1)
        if earlier is not None and _leads_on(session, earlier, envelope):
            return Standing(attempt=envelope.claimed_attempt, user_id=earlier.user_id)
    begun = session.begun(request_id, 0)
    if begun is None or begun.body_sha256 != envelope.digest:
        return Standing(user_id=envelope.user_id)
    return Standing(user_id=begun.user_id)


def _leads_on(session: Session, earlier: DecisionRecord, envelope: Envelope) -> bool:
    return earlier.body_sha256 == envelope.digest and (
        earlier.decision == Verdict.DELAY
        or session.is_replayed(earlier.request_id, earlier.attempt)
    )


def without_claims(reading: Reading) -> Reading:
    """A message as it would be without the headers by which it claims to have been sent round."""
    envelope = replace(reading.envelope, claimed_attempt=0, sent_round=False)
    return replace(reading, envelope=envelope)


def is_same_request(record: DecisionRecord, envelope: Envelope) -> bool:
    """Whether a recorded decision is this message's: one id, one body."""
    return record.body_sha256 == envelope.digest


def refused_by_itself(
    request: Request, user_id: str | None, force_users: AbstractSet[str], now: datetime
) -> Refusal | None:
    """Why the request may not be governed, whatever its run: ``forbidden`` or ``deadline``."""
    if request.body.force and user_id not in force_users:
        who = f"The user {user_id!r} is" if user_id else "A sender without a user_id is"
        reason = f"{who} not among those who may force a state (POINTSMAN_FORCE_USERS)."
        return Refusal(code=Code.FORBIDDEN, reason=reason)
    deadline = request.body.deadline
    if deadline is not None and now >= deadline:
        reason = f"The request's deadline, {deadline.isoformat()}, has passed."
        return Refusal(code=Code.DEADLINE, reason=reason)
    return None


def refused_for_its_run(request: Request, run: Run | None) -> Refusal | None:
    """Why the request may not be governed on its run: unknown, of another kind, or moved on.

    ``run`` is None for a run that is unknown, or is yet to be made.
    """
    if run is None and request.body.new_run is None:
        return unknown_run(request)
    if run is not None and run.kind is not request.kind:
        reason = f"The run {run.id} is a {run.kind} run, not a {request.kind} run."
        return Refusal(code=Code.KIND_MISMATCH, reason=reason)
    expected = request.body.expected_state_id
    current = None if run is None else run.state_id
    if expected is not None and expected != current:
        stands = f"The run's current state is {current}" if current else "The run has no state yet"
        return Refusal(code=Code.STALE, reason=f"{stands}, but {expected} was expected.")
    return None


def unknown_run(request: Request) -> Refusal:
    """That there is no such run, and the request doesn't say how to make it."""
    reason = f"There is no {request.kind} run {request.run_id}, and the request makes none."
    return Refusal(code=Code.RUN_NOT_FOUND, reason=reason)
