"""One message, inside a transaction: checked, governed, and its decision put on record."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consumer.dead_letters.letters import DeathCause
from consumer.topology.names import MAX_DELAY_SECONDS
from consumer.wire.decisions import Verdict
from consumer.wire.names import DECISION_TYPE, Code
from consumer.wire.requests import Reading, Request, Unreadable
from consumer.worker.checks import (
    Refusal,
    Standing,
    is_same_request,
    refused_by_itself,
    refused_for_its_run,
    standing,
    unknown_run,
    without_claims,
)
from consumer.worker.clock import Clock
from consumer.worker.outcomes import Outcome
from consumer.worker.recording import Answering, Forwarding, Ruling, decision_record
from consumer.worker.rounds import seconds_until
from persistence.session import Session
from rules import (
    FlowOrchestrationContext,
    OrchestrationContext,
    OrchestrationSettings,
    SetStateStatus,
    StateWaitDetails,
    TaskOrchestrationContext,
    govern,
)
from rules.policies import (
    GlobalFlowPolicy,
    GlobalTaskPolicy,
    MinimalFlowPolicy,
    MinimalTaskPolicy,
)
from rules.policy import BaseOrchestrationPolicy
from rules.responses import ResponseDetails
from rules.runs import FlowRun, Run, TaskRun

_A_DECISION = "a decision has come back as a request: see what is bound to the decisions exchange"

_VERDICTS = {
    SetStateStatus.ACCEPT: Verdict.ACCEPT,
    SetStateStatus.REJECT: Verdict.REJECT,
    SetStateStatus.WAIT: Verdict.DELAY,
    SetStateStatus.ABORT: Verdict.ABORT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statute:
    """By what is governed: policies for requests without ``force``, settings, who may force."""

    settings: OrchestrationSettings
    flow_policy: type[BaseOrchestrationPolicy]
    task_policy: type[BaseOrchestrationPolicy]
    force_users: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides messages one by one; what one decides, the next one of the session sees."""

    statute: Statute
    answering: Answering
    clock: Clock

    async def decide(
        self,
        session: Session,
        reading: Reading,
        forwarding: Forwarding,
        *,
        condemned: DeathCause | None = None,
    ) -> Outcome:
        """Decide one message, or find that it was decided before.

        Args:
            session: the transaction.
            reading: the message.
            forwarding: what of the records' forwards need not be published.
            condemned: why no rule is to see it any more; it is aborted for that.

        Raises:
            Exception: what left a rule's ``after_transition`` or ``cleanup``, or storage.
        """
        now, envelope = self.clock(), reading.envelope
        session.begin_request()  # so that an error on the way takes back this request's work only
        if envelope.delivery.properties.type == DECISION_TYPE:
            return self.answering.unanswered(envelope, _invalid(_A_DECISION), now)
        if envelope.request_id is None:
            reason = reading.reason if isinstance(reading, Unreadable) else ""
            cause = _invalid(reason)
            return self.answering.nameless(envelope, _unreadable(reason, cause), cause, now)
        held = standing(session, envelope)
        if held.attempt != envelope.claimed_attempt:
            reading = without_claims(reading)
        known = session.recorded(envelope.request_id, held.attempt)
        if known is not None and is_same_request(known, envelope):
            return self.answering.recorded(reading, known, forwarding, now, repeated=True)
        if known is not None:
            return self.answering.reused(reading, known, _reused())
        if condemned is None:
            ruling = await self._rule(session, reading, held, now)
        else:
            ruling = await _condemned(session, reading, condemned)
        record = decision_record(reading, envelope.request_id, held, ruling, now)
        outcome = self.answering.recorded(reading, record, forwarding, now)
        session.record(record)  # last: what fails before it leaves nothing of this request behind
        return outcome

    async def _rule(
        self, session: Session, reading: Reading, held: Standing, now: datetime
    ) -> Ruling:
        if isinstance(reading, Unreadable):
            return _unreadable(reading.reason, _invalid(reading.reason))
        run = await session.run(reading.run_id)
        refusal = refused_by_itself(
            reading, held.user_id, self.statute.force_users, now
        ) or refused_for_its_run(reading, run)
        if refusal is None and reading.body.new_run is not None:
            run = session.make_run(reading.body.new_run)
        if refusal is not None or run is None:
            return _refused(refusal or unknown_run(reading), run)
        return await self._govern(session, reading, run, now)

    async def _govern(self, session: Session, request: Request, run: Run, now: datetime) -> Ruling:
        context = _context(session, request, run, now, self.statute.settings)
        await govern(context, *self._policies(run, force=request.body.force))
        return _ruling(context, request, now)

    def _policies(
        self, run: Run, *, force: bool
    ) -> tuple[type[BaseOrchestrationPolicy], type[BaseOrchestrationPolicy]]:
        if isinstance(run, FlowRun):
            return MinimalFlowPolicy if force else self.statute.flow_policy, GlobalFlowPolicy
        return MinimalTaskPolicy if force else self.statute.task_policy, GlobalTaskPolicy


def _context(
    session: Session, request: Request, run: Run, now: datetime, settings: OrchestrationSettings
) -> OrchestrationContext[Any, Any]:
    proposed = request.body.state
    details: dict[str, Any] = {
        "session": session,
        "run": run,
        "proposed_state": None if proposed is None else proposed.to_state(now),
        "now": now,
        "settings": settings,
        "parameters": dict(request.body.parameters),
        "client_version": request.body.client_version,
    }
    if isinstance(run, TaskRun):
        return TaskOrchestrationContext(**details)
    return FlowOrchestrationContext(**details)


def _ruling(context: OrchestrationContext[Any, Any], request: Request, now: datetime) -> Ruling:
    details: ResponseDetails = context.response_details
    error = context.orchestration_error
    return Ruling(
        verdict=_VERDICTS[context.response_status],
        code=details.code,
        reason=getattr(details, "reason", None),
        delay_seconds=_delay_seconds(details, request, now),
        state=context.written_state,
        run=context.run,
        also_changed=tuple(context.also_changed),
        rule=context.decided_by,
        rules=tuple(context.rule_signature),
        cause=None if error is None else DeathCause.of(Code.RULE_ERROR, error),
    )


def _delay_seconds(details: ResponseDetails, request: Request, now: datetime) -> int | None:
    """The delay, but never beyond the deadline and never longer than the ladder is."""
    if not isinstance(details, StateWaitDetails):
        return None
    deadline = request.body.deadline
    most = MAX_DELAY_SECONDS if deadline is None else seconds_until(deadline, now)
    return min(max(1, details.delay_seconds), max(1, most), MAX_DELAY_SECONDS)


def _refused(refusal: Refusal, run: Run | None) -> Ruling:
    return Ruling(verdict=Verdict.ABORT, code=refusal.code, reason=refusal.reason, run=run)


def _invalid(reason: str) -> DeathCause:
    return DeathCause(reason=Code.INVALID, error_type="InvalidRequest", error=reason)


def _unreadable(reason: str, cause: DeathCause) -> Ruling:
    return Ruling(verdict=Verdict.ABORT, code=Code.INVALID, reason=reason, cause=cause)


async def _condemned(session: Session, reading: Reading, cause: DeathCause) -> Ruling:
    run = await session.run(reading.run_id) if isinstance(reading, Request) else None
    reason = f"The request could not be governed: {cause.error_type}."
    return Ruling(verdict=Verdict.ABORT, code=cause.reason, reason=reason, run=run, cause=cause)


def _reused() -> Ruling:
    return Ruling(
        verdict=Verdict.ABORT,
        code=Code.ID_REUSED,
        reason="This message_id belongs to another request; send this one under an id of its own.",
    )
