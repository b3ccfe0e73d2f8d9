"""Decisions on record, and what is known of requests that are not decided yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from persistence.records import Forward
from persistence.schema.base import Base
from persistence.schema.types import enumeration, moment
from rules.runs import RunKind
from rules.states import StateType


class DecisionRow(Base):
    """One decision; ``body`` is the very bytes that are published.

    The run has no foreign key: a decision is recorded of requests on unknown runs too.
    """

    __tablename__ = "decision"

    request_id: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    run_kind: Mapped[RunKind | None] = mapped_column(enumeration(RunKind))
    body_sha256: Mapped[bytes]
    user_id: Mapped[str | None] = mapped_column(Text)
    proposed_type: Mapped[StateType | None] = mapped_column(enumeration(StateType))
    decision: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    rule: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes]
    decided_at: Mapped[datetime] = mapped_column(moment())
    retry_at: Mapped[datetime | None] = mapped_column(moment())
    forward: Mapped[Forward] = mapped_column(enumeration(Forward))
    forwarded: Mapped[bool]
    error_type: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)


class BegunRow(Base):
    """How often a request's attempt was begun alone, and how often it failed."""

    __tablename__ = "begun"

    request_id: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    body_sha256: Mapped[bytes]
    user_id: Mapped[str | None] = mapped_column(Text)
    begun: Mapped[int]
    failures: Mapped[int]
    updated: Mapped[datetime] = mapped_column(moment())
