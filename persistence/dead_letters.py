"""Dead letters on record: what could not be governed, kept as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from persistence.database import Database
from persistence.inserting import insert_into
from persistence.schema import DeadLetterRow, LetterStatus, table_of
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind

_LETTER = table_of(DeadLetterRow)
_LONGEST_LETTER_ID = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter as it was found in the queue.

    ``letter_id`` is what makes the same letter one row. ``properties`` are those that are kept of
    the message's, as JSON. ``attempts`` is how often it was tried, ``exchange`` and
    ``routing_key`` tell where it had been published to.
    """

    letter_id: str
    reason: str
    body: bytes
    properties: Mapping[str, Any]
    dead_at: datetime
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
class RecordedLetter(DeadLetter):
    """A dead letter on record; ``id`` counts up as letters are recorded."""

    id: UUID
    status: LetterStatus
    recorded_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters: all, less those that differ from what is set.

    ``died_before`` and ``died_since`` bound the time of death.
    """

    status: LetterStatus | None = None
    reason: str | None = None
    run_id: UUID | None = None
    died_before: datetime | None = None
    died_since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL."""
        columns = _LETTER.c
        found: list[ColumnElement[bool]] = []
        if self.status is not None:
            found.append(columns.status == self.status)
        if self.reason is not None:
            found.append(columns.reason == self.reason)
        if self.run_id is not None:
            found.append(columns.run_id == self.run_id)
        if self.died_before is not None:
            found.append(columns.dead_at < self.died_before)
        if self.died_since is not None:
            found.append(columns.dead_at >= self.died_since)
        return found


EVERY_LETTER = LetterFilter()


async def record_letters(database: Database, letters: Sequence[DeadLetter]) -> None:
    """Record letters as open, in one transaction; one that is on record is left as it is."""
    if not letters:
        return
    now = utc_now()
    async with database.writing() as connection:
        inserting = insert_into(connection, _LETTER).on_conflict_do_nothing()
        await connection.execute(inserting, [_row(letter, now) for letter in letters])


async def list_letters(
    database: Database,
    chosen: LetterFilter = EVERY_LETTER,
    *,
    limit: int | None = None,
    before: UUID | None = None,
) -> list[RecordedLetter]:
    """The chosen letters, newest first.

    Args:
        database: where they are.
        chosen: which of them.
        limit: how many at most.
        before: the ``id`` of the last letter of the page before, to go on from there.
    """
    listing = select(_LETTER).where(*chosen.conditions()).order_by(_LETTER.c.id.desc())
    if before is not None:
        listing = listing.where(_LETTER.c.id < before)
    async with database.reading() as connection:
        rows = (await connection.execute(listing.limit(limit))).mappings()
        return [RecordedLetter(**row) for row in rows]


async def count_letters(database: Database, chosen: LetterFilter = EVERY_LETTER) -> int:
    """How many letters are chosen."""
    counting = select(func.count()).select_from(_LETTER).where(*chosen.conditions())
    async with database.reading() as connection:
        return (await connection.execute(counting)).scalar_one()


def _row(letter: DeadLetter, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {field.name: getattr(letter, field.name) for field in fields(DeadLetter)}
    return {
        **row,
        "id": uuid7(),
        "letter_id": _short(letter.letter_id),
        "status": LetterStatus.OPEN,
        "recorded_at": now,
    }


def _short(letter_id: str) -> str:
    """An id that fits into the index, whoever made it up."""
    if len(letter_id) <= _LONGEST_LETTER_ID:
        return letter_id
    return sha256(letter_id.encode(errors="replace")).hexdigest()
