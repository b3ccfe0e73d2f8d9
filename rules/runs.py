"""Runs: what is governed.

A run is loaded into a transactional session, changed there by rules and transforms, and written
back with the session; it is the one mutable value that rules see.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from rules.states import State, StateType


class RunKind(StrEnum):
    """Whether a run is a flow's or a task's."""

    FLOW = "flow"
    TASK = "task"


class RunPolicy(BaseModel):
    """How often a failed run is tried again, and after how many seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retries: int | None = Field(default=None, ge=0, le=2**31 - 1)
    retry_delay: float | None = Field(default=None, ge=0, allow_inf_nan=False)


NO_POLICY = RunPolicy()


@dataclass(slots=True, kw_only=True)
class Run:
    """What flow runs and task runs share.

    ``state`` is the current state, None before the first; the ``state_*`` fields repeat it as the
    bookkeeping transforms wrote them. ``version`` grows by one with every state written.
    ``total_run_time`` is in seconds. A ``bare`` run was made for another run's sake and waits for
    its own description.
    """

    kind: ClassVar[RunKind]

    id: UUID
    name: str | None = None
    tags: tuple[str, ...] = ()
    policy: RunPolicy = NO_POLICY
    bare: bool = False
    version: int = 0
    state: State | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    state_timestamp: datetime | None = None
    run_count: int = 0
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: float = 0.0
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None

    @property
    def state_id(self) -> UUID | None:
        """The id of the current state, None before the first."""
        return None if self.state is None else self.state.id


@dataclass(slots=True, kw_only=True)
class FlowRun(Run):
    """A flow's run; a subflow's has the task run that stands for it in its parent."""

    kind: ClassVar[RunKind] = RunKind.FLOW

    deployment_id: str | None = None
    parent_task_run_id: UUID | None = None


@dataclass(slots=True, kw_only=True)
class TaskRun(Run):
    """A task's run; ``flow_run_run_count`` is which run of its flow it last ran in."""

    kind: ClassVar[RunKind] = RunKind.TASK

    flow_run_id: UUID | None = None
    task_key: str | None = None
    dynamic_key: str | None = None
    flow_run_run_count: int = 0
