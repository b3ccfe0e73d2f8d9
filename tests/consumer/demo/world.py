"""Decisions as a consumer would announce them, and a journal that takes them down."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from consumer.broker.messages import Delivery, Properties
from consumer.demo.journal import Entry, Journal
from consumer.demo.roster import Roster
from consumer.topology.names import DEAD_LETTERS, DECISIONS
from consumer.wire.decisions import Decision, RunSummary, Verdict, identity, message_id, routing_key
from consumer.wire.names import DeadHeader, Header
from rules.runs import RunKind, TaskRun
from rules.states import State

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """A journal, a clock that is set by hand, and what was shown."""

    now: float = 0.0
    shown: list[Entry] = field(default_factory=list)
    roster: Roster = field(default_factory=Roster)

    def __post_init__(self) -> None:
        self.journal = Journal(self.roster, lambda: self.now, self.shown.append)

    def run(self, name: str, state: State | None = None, version: int = 1) -> RunSummary:
        run = TaskRun(id=self.roster.id_of(name), state=state, version=version)
        if state is not None:
            run.state_type, run.state_name = state.type, state.name
        return RunSummary.of(run)

    def decide(
        self,
        name: str,
        state: State | None = None,
        *,
        request_id: str = "r",
        verdict: Verdict = Verdict.ACCEPT,
        **fields: object,
    ) -> Decision:
        """A decision on the run of that name, into that state, made now."""
        made: dict[str, object] = {
            "request_id": request_id,
            "attempt": 0,
            "decision": verdict,
            "state": state,
            "run": self.run(name, state),
            "decided_at": MIDNIGHT + timedelta(seconds=self.now),
        }
        return Decision.model_validate(made | fields)

    def hear(self, decision: Decision, about: UUID | None = None) -> None:
        """Let the journal receive the announcement of a decision."""
        self.journal.receive(announcement(decision, about))

    def exchange(self, decision: Decision, proposed: str = "RUNNING", after: float = 0.0) -> None:
        """Send a request for the decision's run, and hear the decision so many seconds later."""
        name = decision.run and self.roster.name_of(decision.run.id)
        self.journal.send(decision.request_id or "", name or "nobody", proposed)
        self.now += after
        self.hear(decision)


def announcement(decision: Decision, about: UUID | None = None) -> Delivery:
    """The decision as a subscriber gets it, under the routing key of the run that it is about."""
    run_id = about or (decision.run.id if decision.run else None)
    own = about is None
    request_id = decision.request_id or ""
    purpose = "exchange" if own else f"exchange/{about}"
    state_type = decision.state.type if decision.state else None
    return _delivery(
        DECISIONS,
        routing_key(RunKind.TASK, decision.decision, state_type, run_id),
        decision.to_bytes(),
        Properties(
            message_id=message_id(identity(request_id, decision.attempt), purpose),
            correlation_id=request_id,
        ),
    )


def letter(request_id: str, reason: str) -> Delivery:
    """A dead letter."""
    headers: dict[str, str] = {Header.REQUEST_ID: request_id, DeadHeader.REASON: reason}
    return _delivery(DEAD_LETTERS, "", b"?", Properties(headers=headers))


def _delivery(exchange: str, key: str, body: bytes, properties: Properties) -> Delivery:
    return Delivery(
        body=body,
        properties=properties,
        exchange=exchange,
        routing_key=key,
        redelivered=False,
        tag=1,
    )
