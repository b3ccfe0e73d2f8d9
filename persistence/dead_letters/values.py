"""Dead letters as values: as they are found, as they are listed, and whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from persistence.schema import LetterStatus
from rules.runs import RunKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter as it was found in the queue.

    ``letter_id`` is what makes the same letter one row. ``properties`` are those that are kept of
    the message's, as JSON. ``attempts`` is how often it was tried, ``exchange`` and
    ``routing_key`` tell where it had been published to. ``status`` is what it is recorded with:
    open, or answered where nothing is left to be done about it.
    """

    letter_id: str
    reason: str
    body: bytes
    properties: Mapping[str, Any]
    dead_at: datetime
    status: LetterStatus = LetterStatus.OPEN
    attempts: int = 1
    error_type: str | None = None
    error: str | None = None
    request_id: str | None = None
    attempt: int | None = None
    run_kind: RunKind | None = None
    run_id: UUID | None = None
    exchange: str | None = None
    routing_key: str | None = None
    consumer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLetter:
    """A dead letter on record, less its body; ``id`` counts up as letters are recorded.

    ``replay_request_id`` and ``replay_attempt`` are what it is published as when it is replayed,
    or was the last time. With ``edited_at`` there is another body to be replayed in its stead.
    """

    id: UUID
    letter_id: str
    status: LetterStatus
    reason: str
    dead_at: datetime
    recorded_at: datetime
    closed_at: datetime | None
    attempts: int = 1
    error_type: str | None = None
    error: str | None = None
    request_id: str | None = None
    attempt: int | None = None
    run_kind: RunKind | None = None
    run_id: UUID | None = None
    exchange: str | None = None
    routing_key: str | None = None
    consumer: str | None = None
    edited_at: datetime | None = None
    replay_request_id: str | None = None
    replay_attempt: int | None = None

    @property
    def is_edited(self) -> bool:
        """Whether another body was put in the place of the letter's own."""
        return self.edited_at is not None

    @property
    def can_be_replayed(self) -> bool:
        """Whether it can be published as a request: only what has an id is one."""
        return self.request_id is not None or self.is_edited


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLetter(RecordedLetter):
    """A dead letter on record with all that is kept of the message."""

    body: bytes
    properties: Mapping[str, Any]
    edited_body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterGroup:
    """Letters that died alike; ``rule`` is the one that decided, where one did."""

    status: LetterStatus
    reason: str
    error_type: str | None
    run_kind: RunKind | None
    rule: str | None
    letters: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class ChosenLetter:
    """Which letter, and how many bytes there are to carry."""

    id: UUID
    size: int
