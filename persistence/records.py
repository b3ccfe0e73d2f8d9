"""Decisions on record."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from rules.runs import RunKind
from rules.states import StateType

RequestKey: TypeAlias = tuple[str, int]
"""A request's id, and which attempt of it."""


class Forward(StrEnum):
    """What a decision asks to be forwarded: nothing, the delayed request, or a dead letter."""

    NONE = "none"
    DELAY = "delay"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """One attempt's decision.

    ``body`` is the very bytes that are published. ``forwarded`` says that the broker has confirmed
    what ``forward`` asks for. ``run_id`` is None where the request could not be read,
    ``proposed_type`` where nothing was proposed.
    """

    request_id: str
    attempt: int
    run_id: UUID | None
    run_kind: RunKind | None
    body_sha256: bytes
    user_id: str | None
    proposed_type: StateType | None
    decision: str
    code: str | None
    rule: str | None
    body: bytes
    decided_at: datetime
    retry_at: datetime | None
    forward: Forward
    forwarded: bool = False
    error_type: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunRecord:
    """How often an attempt was begun alone, and how often it failed.

    ``user_id`` is the sender's as the broker checked it when the attempt was first counted.
    """

    request_id: str
    attempt: int
    run_id: UUID
    body_sha256: bytes
    user_id: str | None
    begun: int
    failures: int
