"""What operators do about dead letters, beside replaying them: edit and discard."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import RECORDED
from persistence.dead_letters.values import RecordedLetter
from persistence.schema import DeadLetterRow, LetterStatus, table_of

_LETTER = table_of(DeadLetterRow)


async def edit_letter(
    database: Database, letter_id: UUID, body: bytes | None, request_id: str | None, now: datetime
) -> bool:
    """Put another body beside an open letter's own, to be replayed as a request with that id.

    Without a body the letter is to be replayed as it was again.

    Returns:
        Whether the letter was open, and so could be edited.
    """
    editing = (
        update(_LETTER)
        .where(_LETTER.c.id == letter_id, _LETTER.c.status == LetterStatus.OPEN)
        .values(
            edited_body=body,
            edited_at=None if body is None else now,
            replay_request_id=request_id,
            replay_attempt=None if body is None else 0,
        )
        .returning(_LETTER.c.id)
    )
    async with database.writing() as connection:
        return (await connection.execute(editing)).first() is not None


async def discard_letters(
    database: Database, ids: Sequence[UUID], statuses: tuple[LetterStatus, ...], now: datetime
) -> list[RecordedLetter]:
    """Discard those of these letters that have one of the statuses, and that nobody replays now."""
    wanted = LetterFilter(ids=tuple(ids), statuses=statuses).conditions()
    async with database.writing() as connection:
        found = await connection.execute(unless_held(select(_LETTER.c.id).where(*wanted)))
        closing = [row.id for row in found]
        return await close_letters(connection, closing, LetterStatus.DISCARDED, now)


def unless_held(query: Select[Any]) -> Select[Any]:
    """The letters that a query finds, locked, less those that somebody else has locked.

    SQLite has one lock for all, which is taken already.
    """
    return query.with_for_update(of=_LETTER, skip_locked=True)


async def close_letters(
    connection: AsyncConnection, ids: Sequence[UUID], status: LetterStatus, now: datetime
) -> list[RecordedLetter]:
    """Give letters a status with which they are done with, and tell them in order of death."""
    if not ids:
        return []
    closing = (
        update(_LETTER)
        .where(_LETTER.c.id.in_(ids))
        .values(status=status, closed_at=now)
        .returning(*RECORDED)
    )
    letters = [RecordedLetter(**row) for row in (await connection.execute(closing)).mappings()]
    return sorted(letters, key=lambda letter: (letter.dead_at, letter.id))
