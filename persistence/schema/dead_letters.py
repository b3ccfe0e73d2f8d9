"""Dead letters on record."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from persistence.schema.base import Base
from persistence.schema.types import enumeration, json, moment
from rules.runs import RunKind


class LetterStatus(StrEnum):
    """What was done about a dead letter."""

    OPEN = "open"
    """Nothing yet."""
    REPLAYING = "replaying"
    """It is being published again, or was when that was broken off."""
    REPLAYED = "replayed"
    """It was published again, and the broker has confirmed it."""
    DISCARDED = "discarded"
    """An operator said that nothing is to come of it."""
    ANSWERED = "answered"
    """Nothing was left to be done: its request had been decided when the broker put it there."""


class DeadLetterRow(Base):
    """A dead letter: the message as it was, and why nothing came of it.

    ``edited_body`` is what is replayed in the place of ``body``, where there is one.
    """

    __tablename__ = "dead_letter"
    __table_args__ = (
        Index(None, "status", "id"),
        Index(None, "status", "dead_at", "id"),
        Index(None, "request_id", "attempt"),
        Index(None, "run_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    letter_id: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[LetterStatus] = mapped_column(enumeration(LetterStatus))
    reason: Mapped[str] = mapped_column(Text)
    error_type: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int | None]
    run_kind: Mapped[RunKind | None] = mapped_column(enumeration(RunKind))
    run_id: Mapped[UUID | None] = mapped_column(Uuid)
    body: Mapped[bytes]
    properties: Mapped[dict[str, Any]] = mapped_column(json())
    exchange: Mapped[str | None] = mapped_column(Text)
    routing_key: Mapped[str | None] = mapped_column(Text)
    consumer: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int]
    dead_at: Mapped[datetime] = mapped_column(moment())
    recorded_at: Mapped[datetime] = mapped_column(moment())
    closed_at: Mapped[datetime | None] = mapped_column(moment())
    edited_body: Mapped[bytes | None]
    edited_at: Mapped[datetime | None] = mapped_column(moment())
    replay_request_id: Mapped[str | None] = mapped_column(Text)
    replay_attempt: Mapped[int | None]
