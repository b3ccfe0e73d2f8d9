"""What rules and transforms see of the proposal that they govern."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Self, TypeAlias, TypeVar

from typing_extensions import override

from rules.responses import ResponseDetails, SetStateStatus, StateAcceptDetails
from rules.runs import FlowRun, Run, RunPolicy, TaskRun
from rules.session import TransactionalSession
from rules.states import State, StateType

RunT_co = TypeVar("RunT_co", bound=Run, covariant=True)
PolicyT_co = TypeVar("PolicyT_co", bound=RunPolicy, covariant=True)

_UNPERSISTED = "unpersisted"


@dataclass(frozen=True, slots=True)
class OrchestrationSettings:
    """What the program that governs lets its rules know.

    ``slot_delay_seconds``: how long a run waits before it asks again for a concurrency slot.
    """

    slot_delay_seconds: int = 30


DEFAULT_SETTINGS = OrchestrationSettings()


@dataclass(kw_only=True)
class OrchestrationContext(ABC, Generic[RunT_co, PolicyT_co]):
    """One proposal on its way through the rules.

    ``now`` is the moment at which the request is governed, the only clock that rules read.
    ``parameters`` starts as what the request came with; rules pass notes in it. ``also_changed``
    lists the other runs that were changed along with this one, ``decided_by`` is the rule that
    determined the answer, ``written_state`` what was written, each None or empty where there is
    nothing to tell.
    """

    session: TransactionalSession
    run: RunT_co
    proposed_state: State | None
    now: datetime
    settings: OrchestrationSettings = DEFAULT_SETTINGS
    parameters: dict[str, Any] = field(default_factory=dict)
    client_version: str | None = None

    initial_state: State | None = field(init=False)
    validated_state: State | None = field(init=False, default=None)
    written_state: State | None = field(init=False, default=None)
    is_validated: bool = field(init=False, default=False)
    rule_signature: list[str] = field(init=False, default_factory=list)
    finalization_signature: list[str] = field(init=False, default_factory=list)
    response_status: SetStateStatus = field(init=False, default=SetStateStatus.ACCEPT)
    response_details: ResponseDetails = field(init=False, default=StateAcceptDetails())
    orchestration_error: Exception | None = field(init=False, default=None)
    decided_by: str | None = field(init=False, default=None)
    also_changed: list[Run] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.initial_state = self.run.state

    @property
    def initial_state_type(self) -> StateType | None:
        """The type of the state that the run came in, None where it had none."""
        return None if self.initial_state is None else self.initial_state.type

    @property
    def proposed_state_type(self) -> StateType | None:
        """The type of the state proposed by now, None where nothing is."""
        return None if self.proposed_state is None else self.proposed_state.type

    @property
    def validated_state_type(self) -> StateType | None:
        """The type of the validated state, None before validation and for a run without state."""
        return None if self.validated_state is None else self.validated_state.type

    @property
    @abstractmethod
    def run_settings(self) -> PolicyT_co:
        """The run's own policy: its retries and their delay."""

    @abstractmethod
    async def flow_run(self) -> FlowRun | None:
        """The governed flow run, or the flow run of the governed task run, if it has one."""

    @abstractmethod
    async def task_run(self) -> TaskRun | None:
        """The governed task run, None where a flow run is governed."""

    def safe_copy(self) -> Self:
        """A copy that a hook can spoil without harm.

        States and details are immutable and shared; so are the session and the run, on which
        rules are meant to act.
        """
        copied = object.__new__(type(self))
        copied.__dict__ = self.__dict__.copy()  # half the time of an update
        copied.rule_signature = self.rule_signature.copy()
        copied.finalization_signature = self.finalization_signature.copy()
        copied.also_changed = self.also_changed.copy()
        copied.parameters = _copied_containers(self.parameters) if self.parameters else {}
        return copied

    def entry_context(self) -> tuple[State | None, State | None, Self]:
        """What ``before_transition`` is given: initial state, proposed state, a safe copy."""
        return self.initial_state, self.proposed_state, self.safe_copy()

    def exit_context(self) -> tuple[State | None, State | None, Self]:
        """What the hooks on exit are given: initial state, validated state, a safe copy."""
        return self.initial_state, self.validated_state, self.safe_copy()

    async def validate_proposed_state(self) -> None:
        """Write the proposal as the run's state, and its data as an artifact.

        A null proposal writes nothing: the validated state is the one that the run has.
        """
        self.is_validated = True
        proposed = self.proposed_state
        if proposed is None:
            self.validated_state = self.initial_state
            return
        self.session.write_state(self.run, proposed)
        if _is_worth_keeping(proposed.data):
            self.session.write_artifact(self.run, proposed)
        self.validated_state = self.written_state = proposed


@dataclass(kw_only=True)
class FlowOrchestrationContext(OrchestrationContext[FlowRun, RunPolicy]):
    """The context of a flow run's proposal."""

    @property
    @override
    def run_settings(self) -> RunPolicy:
        return self.run.policy

    @override
    async def flow_run(self) -> FlowRun | None:
        return self.run

    @override
    async def task_run(self) -> TaskRun | None:
        return None


@dataclass(kw_only=True)
class TaskOrchestrationContext(OrchestrationContext[TaskRun, RunPolicy]):
    """The context of a task run's proposal."""

    @property
    @override
    def run_settings(self) -> RunPolicy:
        return self.run.policy

    @override
    async def flow_run(self) -> FlowRun | None:
        if self.run.flow_run_id is None:
            return None
        return await self.session.flow_run(self.run.flow_run_id)

    @override
    async def task_run(self) -> TaskRun | None:
        return self.run


GenericOrchestrationContext: TypeAlias = OrchestrationContext[Run, RunPolicy]


def _copied_containers(value: Any) -> Any:
    """The value with its dicts and lists made anew; what they hold beside such is shared."""
    if isinstance(value, dict):
        return {key: _copied_containers(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_copied_containers(held) for held in value]
    return value


def _is_worth_keeping(data: Any) -> bool:
    """Whether a state's data is a result, and not null or the note that there is none to keep."""
    if isinstance(data, Mapping):
        return data.get("type") != _UNPERSISTED
    return data is not None
