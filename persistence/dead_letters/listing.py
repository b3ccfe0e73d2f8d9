"""Dead letters on record: counted, grouped, listed, chosen and read whole."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from persistence.database import Database
from persistence.dead_letters.filters import EVERY_LETTER, LetterFilter
from persistence.dead_letters.values import (
    ChosenLetter,
    FullLetter,
    LetterGroup,
    RecordedLetter,
)
from persistence.schema import DeadLetterRow, DecisionRow, table_of

_LETTER = table_of(DeadLetterRow)
_DECISION = table_of(DecisionRow)


def _columns(of: type[RecordedLetter]) -> list[ColumnElement[Any]]:
    return [_LETTER.c[field.name] for field in fields(of)]


RECORDED = _columns(RecordedLetter)
FULL = _columns(FullLetter)
WITH_DECISION = _LETTER.outerjoin(
    _DECISION,
    (_DECISION.c.request_id == _LETTER.c.request_id) & (_DECISION.c.attempt == _LETTER.c.attempt),
)
"""A letter beside the decision by which it died, where one is on record."""

_IN_ORDER_OF_DEATH = (_LETTER.c.dead_at, _LETTER.c.id)
_MOST_AT_ONCE = 100
_MOST_BYTES_AT_ONCE = 16 * 2**20


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
    listing = select(*RECORDED).where(*chosen.conditions()).order_by(_LETTER.c.id.desc())
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


async def group_letters(
    database: Database, chosen: LetterFilter = EVERY_LETTER
) -> list[LetterGroup]:
    """The chosen letters by how they died and what was done about them; most letters first."""
    alike = (
        _LETTER.c.status,
        _LETTER.c.reason,
        _LETTER.c.error_type,
        _LETTER.c.run_kind,
        _DECISION.c.rule,
    )
    newest = func.max(_LETTER.c.dead_at).label("newest")
    letters = func.count().label("letters")
    grouping = (
        select(*alike, letters, func.min(_LETTER.c.dead_at).label("oldest"), newest)
        .select_from(WITH_DECISION)
        .where(*chosen.conditions())
        .group_by(*alike)
        .order_by(letters.desc(), newest.desc())
    )
    async with database.reading() as connection:
        return [LetterGroup(**row) for row in (await connection.execute(grouping)).mappings()]


async def choose_letters(
    database: Database, chosen: LetterFilter, *, limit: int | None = None
) -> list[ChosenLetter]:
    """Which letters are chosen, in the order in which they died, and how large they are."""
    size = func.length(func.coalesce(_LETTER.c.edited_body, _LETTER.c.body))
    choosing = (
        select(_LETTER.c.id, size)
        .where(*chosen.conditions())
        .order_by(*_IN_ORDER_OF_DEATH)
        .limit(limit)
    )
    async with database.reading() as connection:
        return [ChosenLetter(*row) for row in await connection.execute(choosing)]


async def read_letters(database: Database, ids: Sequence[UUID]) -> list[FullLetter]:
    """Those of these letters that are on record, in the order in which they died."""
    reading = select(*FULL).where(_LETTER.c.id.in_(ids)).order_by(*_IN_ORDER_OF_DEATH)
    async with database.reading() as connection:
        return [FullLetter(**row) for row in (await connection.execute(reading)).mappings()]


def portions(chosen: Sequence[ChosenLetter]) -> Iterator[list[UUID]]:
    """The letters in order, in portions that are small enough to be held in memory at once."""
    portion: list[UUID] = []
    size = 0
    for letter in chosen:
        is_full = len(portion) == _MOST_AT_ONCE or size + letter.size > _MOST_BYTES_AT_ONCE
        if portion and is_full:
            yield portion
            portion, size = [], 0
        portion.append(letter.id)
        size += letter.size
    if portion:
        yield portion
