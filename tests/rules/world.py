"""Runs in memory, and proposals for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from rules import (
    BaseOrchestrationPolicy,
    FlowOrchestrationContext,
    FlowRun,
    OrchestrationContext,
    Run,
    State,
    StateType,
    TaskOrchestrationContext,
    TaskRun,
    govern,
)
from rules.identifiers import uuid7
from rules.policies import GlobalFlowPolicy, GlobalTaskPolicy
from rules.policy import RuleOrTransform
from tests.memory.session import MemorySession
from tests.memory.tables import Tables

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

Policy = type[BaseOrchestrationPolicy]
EVERY_FROM: Sequence[StateType | None] = (None, *StateType)
EVERY_TO: Sequence[StateType] = tuple(StateType)


@dataclass(slots=True)
class World:
    """Some runs, and one session over them."""

    tables: Tables = field(default_factory=Tables)
    session: MemorySession = field(init=False)

    def __post_init__(self) -> None:
        self.session = MemorySession(self.tables)

    def task_run(self, state: State | StateType | None = None, **described: Any) -> TaskRun:
        """A task run in that state."""
        run = TaskRun(id=uuid7(), **described)
        self._add(run, state)
        return run

    def flow_run(self, state: State | StateType | None = None, **described: Any) -> FlowRun:
        """A flow run in that state."""
        run = FlowRun(id=uuid7(), **described)
        self._add(run, state)
        return run

    async def propose(
        self,
        run: Run,
        proposed: State | StateType | None,
        policy: Policy,
        global_policy: Policy | None = None,
        **given: Any,
    ) -> OrchestrationContext[Any, Any]:
        """Govern a proposal, at noon and by all global transforms if nothing else is said."""
        context = self.context(run, proposed, **given)
        usual = GlobalTaskPolicy if isinstance(run, TaskRun) else GlobalFlowPolicy
        await govern(context, policy, global_policy or usual)
        return context

    def context(
        self, run: Run, proposed: State | StateType | None, **given: Any
    ) -> OrchestrationContext[Any, Any]:
        """The context of a proposal that is not governed yet."""
        kind: type[OrchestrationContext[Any, Any]] = (
            TaskOrchestrationContext if isinstance(run, TaskRun) else FlowOrchestrationContext
        )
        parts = {"session": self.session, "run": run, "now": NOON, **given}
        return kind(proposed_state=as_state(proposed), **parts)

    def written(self, run: Run) -> list[State]:
        """The states that were written for the run."""
        return [row.state for row in self.tables.states if row.run_id == run.id]

    def artifacts(self, run: Run) -> list[Any]:
        """The artifacts that were written for the run."""
        return [row.data for row in self.tables.artifacts if row.run_id == run.id]

    def held(self, run: Run) -> set[str]:
        """The tags of which the run holds a slot."""
        return {slot.tag for slot in self.tables.slots if slot.holder == run.id}

    def _add(self, run: Run, state: State | StateType | None) -> None:
        run.state = as_state(state)
        if run.state is not None:
            run.state_type, run.state_name = run.state.type, run.state.name
            run.state_timestamp = run.state.timestamp
        self.tables.runs[run.id] = run


def as_state(state: State | StateType | None) -> State | None:
    """A state of that type, at noon and due at noon."""
    if not isinstance(state, StateType):
        return state
    made = State(type=state, timestamp=NOON)
    return made.with_details({"scheduled_time": NOON}) if made.is_scheduled() else made


def policy_of(*entries: RuleOrTransform) -> Policy:
    """A policy of just these rules and transforms."""

    class Policy(BaseOrchestrationPolicy):
        @staticmethod
        def priority() -> Sequence[RuleOrTransform]:
            return entries

    return Policy


NO_RULES = policy_of()


def described(run: Run) -> dict[str, Any]:
    """All that is known of the run, by name."""
    return {known.name: getattr(run, known.name) for known in fields(run)}
