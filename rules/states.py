"""States: what a run is, was, or is proposed to become."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from rules.identifiers import uuid7
from rules.moments import Moment, in_utc, utc_now

MAX_CACHE_KEY_LENGTH = 2_000


class StateType(StrEnum):
    """The nine kinds of state, written in capitals on the wire and in the database."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"

    @property
    def default_name(self) -> str:
        """The type in words, as a state is named where nobody named it: ``"Completed"``."""
        return self.value.capitalize()


FINAL_STATES = frozenset(
    {StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED}
)


class StateName(StrEnum):
    """Names with a meaning of their own, beside the defaults that follow from the type."""

    AWAITING_RETRY = "AwaitingRetry"
    LATE = "Late"
    RETRYING = "Retrying"
    RERUNNING = "Rerunning"
    CACHED = "Cached"


class StateDetails(BaseModel):
    """What a state says beyond its type; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    child_flow_run_id: UUID | None = None
    scheduled_time: Moment | None = None
    cache_key: str | None = Field(default=None, max_length=MAX_CACHE_KEY_LENGTH)
    cache_expiration: Moment | None = None
    untrackable_result: bool = False


class State(BaseModel):
    """One state of one run, immutable.

    ``name`` defaults to the type in words, ``timestamp`` to now, and a SCHEDULED state's
    scheduled time to now. A time without a zone is refused; all times are kept in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID = Field(default_factory=uuid7)
    type: StateType
    name: str = ""
    timestamp: Moment = Field(default_factory=utc_now)
    message: str | None = None
    data: JsonValue = None
    state_details: StateDetails = StateDetails()

    @model_validator(mode="after")
    def _fill_defaults(self) -> Self:
        if not self.name:
            object.__setattr__(self, "name", self.type.default_name)
        if self.type is StateType.SCHEDULED and self.state_details.scheduled_time is None:
            details = self.state_details.model_copy(update={"scheduled_time": utc_now()})
            object.__setattr__(self, "state_details", details)
        return self

    def revised(self, **changes: Any) -> Self:
        """A copy with some fields changed, the id kept; the values are taken as they are."""
        return self.model_copy(update=changes)

    def with_details(self, details: Mapping[str, object]) -> Self:
        """A copy with some of the state details changed, the id kept."""
        revised = self.state_details.model_copy(update=dict(details))
        return self.model_copy(update={"state_details": revised})

    def is_scheduled(self) -> bool:
        """Whether the run is SCHEDULED in this state."""
        return self.type is StateType.SCHEDULED

    def is_pending(self) -> bool:
        """Whether the run is PENDING in this state."""
        return self.type is StateType.PENDING

    def is_running(self) -> bool:
        """Whether the run is RUNNING in this state."""
        return self.type is StateType.RUNNING

    def is_paused(self) -> bool:
        """Whether the run is PAUSED in this state."""
        return self.type is StateType.PAUSED

    def is_cancelling(self) -> bool:
        """Whether the run is CANCELLING in this state."""
        return self.type is StateType.CANCELLING

    def is_completed(self) -> bool:
        """Whether the run is COMPLETED in this state."""
        return self.type is StateType.COMPLETED

    def is_failed(self) -> bool:
        """Whether the run is FAILED in this state."""
        return self.type is StateType.FAILED

    def is_cancelled(self) -> bool:
        """Whether the run is CANCELLED in this state."""
        return self.type is StateType.CANCELLED

    def is_crashed(self) -> bool:
        """Whether the run is CRASHED in this state."""
        return self.type is StateType.CRASHED

    def is_final(self) -> bool:
        """Whether a run in this state has ended."""
        return self.type in FINAL_STATES


def Scheduled(scheduled_time: datetime | None = None, **fields: Any) -> State:  # noqa: N802
    """A SCHEDULED state, due at ``scheduled_time`` (now where none is given)."""
    details = fields.pop("state_details", StateDetails())
    if scheduled_time is not None:
        details = details.model_copy(update={"scheduled_time": in_utc(scheduled_time)})
    return State(type=StateType.SCHEDULED, state_details=details, **fields)


def AwaitingRetry(scheduled_time: datetime | None = None, **fields: Any) -> State:  # noqa: N802
    """A SCHEDULED state of a run that failed and is to run again at ``scheduled_time``."""
    return Scheduled(scheduled_time, name=StateName.AWAITING_RETRY, **fields)


def Late(scheduled_time: datetime | None = None, **fields: Any) -> State:  # noqa: N802
    """A SCHEDULED state whose time has passed without the run having started."""
    return Scheduled(scheduled_time, name=StateName.LATE, **fields)


def Pending(**fields: Any) -> State:  # noqa: N802
    """A PENDING state: about to run."""
    return State(type=StateType.PENDING, **fields)


def Running(**fields: Any) -> State:  # noqa: N802
    """A RUNNING state."""
    return State(type=StateType.RUNNING, **fields)


def Retrying(**fields: Any) -> State:  # noqa: N802
    """A RUNNING state of a run that ran before and failed."""
    return Running(name=StateName.RETRYING, **fields)


def Completed(**fields: Any) -> State:  # noqa: N802
    """A COMPLETED state; ``data`` is the result."""
    return State(type=StateType.COMPLETED, **fields)


def Failed(**fields: Any) -> State:  # noqa: N802
    """A FAILED state."""
    return State(type=StateType.FAILED, **fields)


def Cancelled(**fields: Any) -> State:  # noqa: N802
    """A CANCELLED state."""
    return State(type=StateType.CANCELLED, **fields)


def Crashed(**fields: Any) -> State:  # noqa: N802
    """A CRASHED state: the run ended without a word of its own."""
    return State(type=StateType.CRASHED, **fields)
