"""The body of a request, ``pointsman.request.v1``: its shape, and what of it is refused."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import to_json

from consumer.wire.problems import sentence
from rules.moments import Moment
from rules.runs import NO_POLICY, FlowRun, Run, RunKind, RunPolicy, TaskRun
from rules.states import State, StateDetails, StateType

MAX_NAME_LENGTH = 1_000
MAX_KEY_LENGTH = 1_000
MAX_TAGS = 100
MAX_TAG_LENGTH = 255

Tag = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TAG_LENGTH)]


class OnDelay(StrEnum):
    """Who proposes again when a delay is over: Pointsman by itself, or the sender."""

    RETRY = "retry"
    RETURN = "return"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunReference(_Strict):
    """Which run is to change."""

    kind: RunKind
    id: UUID


class _CreateRun(_Strict):
    name: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    tags: tuple[Tag, ...] = Field(default=(), max_length=MAX_TAGS)
    policy: RunPolicy = NO_POLICY

    @property
    def distinct_tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.tags))


class CreateFlowRun(_CreateRun):
    """How to make an unknown flow run."""

    deployment_id: str | None = Field(default=None, min_length=1, max_length=MAX_KEY_LENGTH)
    parent_task_run_id: UUID | None = None

    def to_run(self, run_id: UUID) -> FlowRun:
        """The flow run, as it is before its first state."""
        return FlowRun(
            id=run_id,
            name=self.name,
            tags=self.distinct_tags,
            policy=self.policy,
            deployment_id=self.deployment_id,
            parent_task_run_id=self.parent_task_run_id,
        )


class CreateTaskRun(_CreateRun):
    """How to make an unknown task run."""

    flow_run_id: UUID | None = None
    task_key: str | None = Field(default=None, max_length=MAX_KEY_LENGTH)
    dynamic_key: str | None = Field(default=None, max_length=MAX_KEY_LENGTH)

    def to_run(self, run_id: UUID) -> TaskRun:
        """The task run, as it is before its first state."""
        return TaskRun(
            id=run_id,
            name=self.name,
            tags=self.distinct_tags,
            policy=self.policy,
            flow_run_id=self.flow_run_id,
            task_key=self.task_key,
            dynamic_key=self.dynamic_key,
        )


class ProposedState(_Strict):
    """The state that is proposed; null stands for the default."""

    type: StateType
    name: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    timestamp: Moment | None = None
    message: str | None = None
    data: JsonValue = None
    state_details: StateDetails = StateDetails()

    def to_state(self, now: datetime) -> State:
        """The state with an id of its own, at ``now`` where the producer set no time."""
        details = self.state_details
        if self.type is StateType.SCHEDULED and details.scheduled_time is None:
            details = details.model_copy(update={"scheduled_time": now})
        return State(
            type=self.type,
            name=self.name or "",
            timestamp=self.timestamp or now,
            message=self.message,
            data=self.data,
            state_details=details,
        )


class RequestBody(_Strict):
    """A transition request; ``run`` and ``state`` are required, unknown keys are refused."""

    run: RunReference
    state: ProposedState | None
    create: dict[str, JsonValue] | None = None
    force: bool = False
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    client_version: str | None = Field(default=None, max_length=MAX_KEY_LENGTH)
    expected_state_id: UUID | None = None
    on_delay: OnDelay = OnDelay.RETRY
    deadline: Moment | None = None

    _new_run: Run | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _read_create(self) -> "RequestBody":
        if self.create is not None:
            shape = CreateFlowRun if self.run.kind is RunKind.FLOW else CreateTaskRun
            # Strict, and as JSON: there a text is a time or a UUID, but 1 is neither.
            try:
                created = shape.model_validate_json(to_json(self.create), strict=True)
            except ValidationError as error:
                raise ValueError(sentence(error, within="create")) from None
            self._new_run = created.to_run(self.run.id)
        return self

    @property
    def new_run(self) -> Run | None:
        """The run to make if it is unknown, None where the request doesn't ask for it."""
        return self._new_run
