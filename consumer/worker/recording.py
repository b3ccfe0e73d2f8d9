"""From what was decided to the record of it, and from a record to what is published."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consumer.broker.messages import Outgoing
from consumer.dead_letters.letters import DeathCause, LetterWriter
from consumer.wire.body import OnDelay
from consumer.wire.decisions import Decision, RunSummary, Verdict, identity
from consumer.wire.names import Code
from consumer.wire.requests import Envelope, Reading, Request
from consumer.worker.checks import Standing
from consumer.worker.outcomes import Answer, Outcome, RequestKey
from consumer.worker.rounds import Router, seconds_until
from persistence.records import DecisionRecord, Forward
from rules.identifiers import uuid7
from rules.runs import Run
from rules.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What was decided, before it is put on record.

    ``cause`` is set where an error decided: the request then becomes a dead letter.
    """

    verdict: Verdict
    code: str | None = None
    reason: str | None = None
    delay_seconds: int | None = None
    state: State | None = None
    run: Run | None = None
    also_changed: tuple[Run, ...] = ()
    rule: str | None = None
    rules: tuple[str, ...] = ()
    cause: DeathCause | None = None


@dataclass(slots=True)
class Forwarding:
    """Which recorded decisions' delayed requests and dead letters need no publishing any more.

    ``confirmed`` by the broker, though not yet marked so in the database, or ``promised`` by an
    earlier message of the batch at hand.
    """

    confirmed: frozenset[RequestKey] = frozenset()
    promised: set[RequestKey] = field(default_factory=set)

    def claim(self, record: DecisionRecord) -> bool:
        """Whether it is for the caller to publish the record's delayed request or dead letter."""
        key = (record.request_id, record.attempt)
        if (
            record.forward is Forward.NONE
            or record.forwarded
            or key in self.confirmed
            or key in self.promised
        ):
            return False
        self.promised.add(key)
        return True


def decision_bytes(envelope: Envelope, attempt: int | None, ruling: Ruling, at: datetime) -> bytes:
    """The decision's body, serialised once and for all."""
    return Decision.model_construct(
        request_id=envelope.request_id,
        attempt=attempt,
        decision=ruling.verdict,
        code=ruling.code,
        reason=ruling.reason,
        delay_seconds=ruling.delay_seconds,
        retry_at=_retry_at(ruling, at),
        state=ruling.state,
        run=None if ruling.run is None else RunSummary.of(ruling.run),
        also_changed=tuple(RunSummary.of(run) for run in ruling.also_changed),
        rule=ruling.rule,
        rules=ruling.rules,
        decided_at=at,
    ).to_bytes()


def decision_record(
    reading: Reading, request_id: str, held: Standing, ruling: Ruling, at: datetime
) -> DecisionRecord:
    """The row that stands for the decision, with what belongs to it."""
    request = reading if isinstance(reading, Request) else None
    proposed = request.body.state if request else None
    return DecisionRecord(
        request_id=request_id,
        attempt=held.attempt,
        run_id=request.run_id if request else None,
        run_kind=request.kind if request else None,
        body_sha256=reading.envelope.digest,
        user_id=held.user_id,
        proposed_type=proposed.type if proposed else None,
        decision=ruling.verdict.value,
        code=ruling.code,
        rule=ruling.rule,
        body=decision_bytes(reading.envelope, held.attempt, ruling, at),
        decided_at=at,
        retry_at=_retry_at(ruling, at),
        forward=_forward(request, ruling),
        error_type=ruling.cause.error_type if ruling.cause else None,
        error=ruling.cause.error if ruling.cause else None,
    )


def _retry_at(ruling: Ruling, at: datetime) -> datetime | None:
    if ruling.delay_seconds is None:
        return None
    return at + timedelta(seconds=ruling.delay_seconds)


def _forward(request: Request | None, ruling: Ruling) -> Forward:
    if ruling.cause is not None:
        return Forward.DEAD_LETTER
    if ruling.verdict is Verdict.DELAY and request and request.body.on_delay is OnDelay.RETRY:
        return Forward.DELAY
    return Forward.NONE


@dataclass(frozen=True, slots=True)
class Answering:
    """Says what a decision asks to be published."""

    router: Router
    letters: LetterWriter

    def recorded(
        self,
        reading: Reading,
        record: DecisionRecord,
        forwarding: Forwarding,
        now: datetime,
        *,
        repeated: bool = False,
    ) -> Outcome:
        """Publish a decision that is on record, now for the first time or, repeated, again."""
        due = forwarding.claim(record)
        return Outcome(
            envelope=reading.envelope,
            answer=Answer(
                body=record.body,
                identity=identity(record.request_id, record.attempt),
                verdict=Verdict(record.decision),
                code=record.code,
                kind=record.run_kind,
                run_id=record.run_id,
                repeated=repeated,
            ),
            forward=self._forward(reading, record, now) if due else None,
            forwards=(record.request_id, record.attempt) if due else None,
        )

    def reused(self, reading: Reading, known: DecisionRecord, ruling: Ruling) -> Outcome:
        """Tell a sender, and nobody else, that its request's id belongs to another request.

        The time told is that of the other's decision: this one is not on record, and must have the
        same bytes whenever it is published again.
        """
        envelope = reading.envelope
        answer = Answer(
            body=decision_bytes(envelope, None, ruling, known.decided_at),
            identity=identity(known.request_id, None, envelope.digest),
            verdict=ruling.verdict,
            code=Code.ID_REUSED,
            announced=False,
        )
        return Outcome(envelope=envelope, answer=answer)

    def nameless(
        self, envelope: Envelope, ruling: Ruling, cause: DeathCause, now: datetime
    ) -> Outcome:
        """Answer what has no request id, and so no record but its dead letter."""
        answer = Answer(
            body=decision_bytes(envelope, 0, ruling, now),
            identity=str(uuid7()),
            verdict=ruling.verdict,
            code=ruling.code,
        )
        letter = self.letters.letter(envelope, cause, attempt=0, at=now)
        return Outcome(envelope=envelope, answer=answer, forward=letter)

    def unanswered(self, envelope: Envelope, cause: DeathCause, now: datetime) -> Outcome:
        """Bury what must not be answered, since the answer would come back like it, and so on."""
        letter = self.letters.letter(envelope, cause, attempt=0, at=now)
        return Outcome(envelope=envelope, forward=letter)

    def _forward(self, reading: Reading, record: DecisionRecord, now: datetime) -> Outgoing:
        envelope = reading.envelope
        if record.forward is Forward.DELAY and record.run_id and record.retry_at:
            return self.router.round(
                envelope,
                record.run_id,
                seconds=seconds_until(record.retry_at, now),
                attempt=record.attempt + 1,
            )
        cause = DeathCause(
            reason=record.code or Code.FAILED,
            error_type=record.error_type or "",
            error=record.error or "",
        )
        return self.letters.letter(envelope, cause, attempt=record.attempt, at=record.decided_at)
