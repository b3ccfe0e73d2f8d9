"""Runs, their states, and the artifacts that hold the states' results."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from persistence.schema.base import Base
from persistence.schema.types import enumeration, json, moment
from rules.runs import RunKind
from rules.states import StateType


class RunRow(Base):
    """A flow run or a task run; columns are named as in a decision's ``run``.

    ``flow_run_id`` is checked at commit, so that runs can be inserted in id order, whichever of
    them is the other's flow run. The parent task run of a subflow run may come later than it.
    """

    __tablename__ = "run"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[RunKind] = mapped_column(enumeration(RunKind))
    name: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(json())
    retries: Mapped[int | None]
    retry_delay: Mapped[float | None]
    bare: Mapped[bool]
    flow_run_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("run.id", deferrable=True, initially="DEFERRED"), index=True
    )
    task_key: Mapped[str | None] = mapped_column(Text)
    dynamic_key: Mapped[str | None] = mapped_column(Text)
    deployment_id: Mapped[str | None] = mapped_column(Text)
    parent_task_run_id: Mapped[UUID | None] = mapped_column(Uuid)
    created: Mapped[datetime] = mapped_column(moment())

    version: Mapped[int]
    state_id: Mapped[UUID | None] = mapped_column(Uuid)
    state_type: Mapped[StateType | None] = mapped_column(enumeration(StateType))
    state_name: Mapped[str | None] = mapped_column(Text)
    state_timestamp: Mapped[datetime | None] = mapped_column(moment())
    run_count: Mapped[int]
    flow_run_run_count: Mapped[int | None]
    start_time: Mapped[datetime | None] = mapped_column(moment())
    end_time: Mapped[datetime | None] = mapped_column(moment())
    total_run_time: Mapped[float]
    expected_start_time: Mapped[datetime | None] = mapped_column(moment())
    next_scheduled_start_time: Mapped[datetime | None] = mapped_column(moment())


class RunStateRow(Base):
    """A state that was written; ``version`` is the run's that it made.

    ``data`` is null where the state's result is kept as an artifact.
    """

    __tablename__ = "run_state"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id"), index=True)
    version: Mapped[int]
    type: Mapped[StateType] = mapped_column(enumeration(StateType))
    name: Mapped[str] = mapped_column(Text)
    timestamp: Mapped[datetime] = mapped_column(moment())
    message: Mapped[str | None] = mapped_column(Text)
    data: Mapped[Any] = mapped_column(json(), nullable=True)
    state_details: Mapped[dict[str, Any]] = mapped_column(json())
    created: Mapped[datetime] = mapped_column(moment())


class ArtifactRow(Base):
    """A state's result."""

    __tablename__ = "artifact"

    state_id: Mapped[UUID] = mapped_column(ForeignKey("run_state.id"), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(Uuid)
    data: Mapped[Any] = mapped_column(json())
    created: Mapped[datetime] = mapped_column(moment())
