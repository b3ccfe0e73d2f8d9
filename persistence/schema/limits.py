"""Concurrency limits and the holders of their slots."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from persistence.schema.base import Base
from persistence.schema.types import moment


class ConcurrencyLimitRow(Base):
    """How many task runs with the tag may run at a time."""

    __tablename__ = "concurrency_limit"

    tag: Mapped[str] = mapped_column(Text, primary_key=True)
    slots: Mapped[int]


class ConcurrencySlotRow(Base):
    """A task run that holds a slot of the tag's limit."""

    __tablename__ = "concurrency_slot"

    tag: Mapped[str] = mapped_column(
        ForeignKey("concurrency_limit.tag", ondelete="CASCADE"), primary_key=True
    )
    task_run_id: Mapped[UUID] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    taken_at: Mapped[datetime] = mapped_column(moment())
