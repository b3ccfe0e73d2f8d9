"""Decisions, ``pointsman.decision.v1``: the body, and how it is addressed."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic_core import from_json

from rules.runs import Run, RunKind, TaskRun
from rules.states import State, StateType

_NAMESPACE = UUID("6f7c7a42-5d0b-5b1e-9c53-1f0a5a3f8d11")
NONE = "none"


class Verdict(StrEnum):
    """What was decided."""

    ACCEPT = "accept"
    REJECT = "reject"
    DELAY = "delay"
    ABORT = "abort"


class RunSummary(BaseModel):
    """A run after the decision; ``total_run_time`` is in seconds."""

    model_config = ConfigDict(frozen=True)

    kind: RunKind
    id: UUID
    version: int
    state_id: UUID | None
    state_type: StateType | None
    state_name: str | None
    state_timestamp: datetime | None
    run_count: int
    flow_run_run_count: int | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None

    @classmethod
    def of(cls, run: Run) -> "RunSummary":
        """The run as it stands."""
        return cls.model_construct(
            kind=run.kind,
            id=run.id,
            version=run.version,
            state_id=run.state_id,
            state_type=run.state_type,
            state_name=run.state_name,
            state_timestamp=run.state_timestamp,
            run_count=run.run_count,
            flow_run_run_count=run.flow_run_run_count if isinstance(run, TaskRun) else None,
            start_time=run.start_time,
            end_time=run.end_time,
            total_run_time=run.total_run_time,
            expected_start_time=run.expected_start_time,
            next_scheduled_start_time=run.next_scheduled_start_time,
        )


class Decision(BaseModel):
    """The body of a decision, serialised once and kept as those bytes."""

    model_config = ConfigDict(frozen=True)

    request_id: str | None
    attempt: int | None
    decision: Verdict
    code: str | None = None
    reason: str | None = None
    delay_seconds: int | None = None
    retry_at: datetime | None = None
    state: State | None = None
    run: RunSummary | None = None
    also_changed: tuple[RunSummary, ...] = ()
    rule: str | None = None
    rules: tuple[str, ...] = ()
    decided_at: datetime

    def to_bytes(self) -> bytes:
        """The JSON that is recorded and published."""
        return self.__pydantic_serializer__.to_json(self)


def routing_key(
    kind: RunKind | None, verdict: Verdict, state_type: StateType | str | None, run_id: UUID | None
) -> str:
    """The routing key on the decisions exchange: ``<kind>.<decision>.<state type>.<run id>``."""
    written = state_type.lower() if state_type else NONE
    return f"{kind or NONE}.{verdict}.{written}.{run_id or NONE}"


def routing_keys(
    body: bytes, kind: RunKind | None, run_id: UUID | None
) -> Iterator[tuple[str, str]]:
    """Each routing key under which a decision is announced, with what sets its message id apart.

    Besides the governed run's own, each run that changed along with it has one.
    """
    decision: dict[str, JsonValue] = from_json(body)
    verdict = Verdict(str(decision["decision"]))
    state: Any = decision["state"]
    written = state["type"] if state else None
    yield "exchange", routing_key(kind, verdict, written, run_id)
    others: Any = decision["also_changed"]
    for other in others:
        key = routing_key(RunKind(other["kind"]), verdict, other["state_type"], UUID(other["id"]))
        yield f"exchange/{other['id']}", key


def identity(request_id: str, attempt: int | None, digest: bytes | None = None) -> str:
    """What a decision is known by; message ids follow from it.

    A refused reuse of an id is known by its body's digest besides, for it has no attempt.
    """
    return f"{request_id}\n{attempt}\n{digest.hex() if digest else ''}"


def message_id(decision: str, purpose: str) -> str:
    """The id of one of a decision's messages: the same whenever that is published again.

    Args:
        decision: the decision's identity.
        purpose: which of its messages: ``reply``, or as ``routing_keys`` says.
    """
    return str(uuid5(_NAMESPACE, f"{decision}\n{purpose}"))
