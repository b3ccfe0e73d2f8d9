"""A history, looked up by requests: what was sent, and what each decision on record says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from pydantic import ValidationError

from consumer.wire.decisions import Decision, RunSummary, Verdict
from persistence.records import DecisionRecord, RequestKey
from rules.core.secure_task_concurrency_slots import SecureTaskConcurrencySlots
from rules.states import StateType
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History, Sent

_SECURES_SLOTS = SecureTaskConcurrencySlots.__name__


@dataclass(frozen=True, slots=True)
class Change:
    """A state that a decision says to have written, and the run's version that it made."""

    run_id: UUID
    version: int
    state_id: UUID | None
    type: StateType | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Ruled:
    """A decision on record and what its bytes say.

    ``changes`` are the states written, that of the governed run first; ``seen`` is each run that
    it tells, with the version. ``secured`` says that slots were taken for the run.
    """

    record: DecisionRecord
    changes: tuple[Change, ...]
    seen: tuple[tuple[UUID, int], ...]
    secured: bool

    @property
    def key(self) -> RequestKey:
        """Which attempt of which request it decides."""
        return self.record.request_id, self.record.attempt

    @property
    def subject(self) -> str:
        """What a violation about it names."""
        return f"{self.record.request_id}/{self.record.attempt}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was sent by request id, and what was decided by attempt.

    ``nameless`` was sent without an id; ``unreadable`` decisions are reported and left out of
    ``decided``.
    """

    sent: Mapping[str, Sequence[Sent]]
    nameless: Sequence[Sent]
    decided: Mapping[RequestKey, Ruled]
    faults: Sequence[Violation]

    def senders(self, record: DecisionRecord) -> Sequence[Sent]:
        """What was sent under the decision's request id with its very body."""
        sent = self.sent.get(record.request_id, ())
        return [each for each in sent if digest(each) == record.body_sha256]


def digest(sent: Sent) -> bytes:
    """The SHA-256 of what was sent, by which a request is known."""
    return sha256(sent.body).digest()


def open_ledger(history: History) -> Ledger:
    """Read the history once; what can't be entered is among the ledger's faults."""
    sent: dict[str, list[Sent]] = {}
    for each in history.sent:
        if each.request_id is not None:
            sent.setdefault(each.request_id, []).append(each)
    decided: dict[RequestKey, Ruled] = {}
    faults: list[Violation] = []
    for record in history.rows.decisions:
        subject = f"{record.request_id}/{record.attempt}"
        if (record.request_id, record.attempt) in decided:
            faults.append(Violation(ViolationKind.DECIDED_TWICE, subject, record.decision))
            continue
        try:
            told = Decision.model_validate_json(record.body)
        except ValidationError as error:
            faults.append(Violation(ViolationKind.RECORD_DIFFERS, subject, str(error)))
            continue
        differing = ", ".join(_differing(record, told))
        if differing:
            faults.append(Violation(ViolationKind.RECORD_DIFFERS, subject, f"by {differing}"))
        decided[record.request_id, record.attempt] = _ruled(record, told)
    nameless = [each for each in history.sent if each.request_id is None]
    return Ledger(sent=sent, nameless=nameless, decided=decided, faults=faults)


def _differing(record: DecisionRecord, told: Decision) -> Iterator[str]:
    """The names of what the row's columns and its bytes tell differently."""
    for name in ("request_id", "attempt", "decision", "code", "rule", "retry_at", "decided_at"):
        if getattr(record, name) != getattr(told, name):
            yield name
    if told.run is not None and told.run.id != record.run_id:
        yield "run_id"


def _ruled(record: DecisionRecord, told: Decision) -> Ruled:
    runs = [told.run] if told.run is not None else []
    changes = [_along(run) for run in told.also_changed]
    if told.state is not None and told.run is not None:
        state, run = told.state, told.run
        changes.insert(0, Change(run.id, run.version, state.id, state.type, state.name))
    return Ruled(
        record=record,
        changes=tuple(changes),
        seen=tuple((run.id, run.version) for run in (*runs, *told.also_changed)),
        secured=told.decision is Verdict.ACCEPT and _SECURES_SLOTS in told.rules,
    )


def _along(run: RunSummary) -> Change:
    return Change(run.id, run.version, run.state_id, run.state_type, run.state_name)
