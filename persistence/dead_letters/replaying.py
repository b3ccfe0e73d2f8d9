"""Which dead letters are being replayed, as which attempt, and by whom."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.database import Database
from persistence.dead_letters.changing import close_letters, unless_held
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import FULL, WITH_DECISION
from persistence.dead_letters.values import FullLetter, RecordedLetter
from persistence.records import Forward
from persistence.schema import DeadLetterRow, DecisionRow, LetterStatus, table_of

REPLAYABLE = (LetterStatus.OPEN, LetterStatus.REPLAYING)
"""What a replay takes: also what another one left behind that was ended in the middle."""

_LETTER = table_of(DeadLetterRow)
_DECISION = table_of(DecisionRow)
_MARK = (
    update(_LETTER)
    .where(_LETTER.c.id == bindparam("of_letter"))
    .values(
        status=LetterStatus.REPLAYING,
        replay_request_id=bindparam("as_request"),
        replay_attempt=bindparam("as_attempt"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A letter, and as which attempt of which request it is published."""

    letter: FullLetter
    request_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class HeldReplays:
    """Letters that nobody else can replay for as long as a transaction lasts."""

    connection: AsyncConnection
    replays: Sequence[Replay]

    async def close(self, replays: Sequence[Replay], now: datetime) -> list[RecordedLetter]:
        """Mark these as replayed."""
        ids = [each.letter.id for each in replays]
        return await close_letters(self.connection, ids, LetterStatus.REPLAYED, now)


async def plan_replays(database: Database, ids: Sequence[UUID]) -> list[Replay]:
    """As what these letters would be published; nothing is changed."""
    async with database.reading() as connection:
        return await _plan(connection, _to_replay(ids))


async def begin_replays(database: Database, ids: Sequence[UUID]) -> list[Replay]:
    """Mark letters as being replayed, and as what, so that a consumer believes what it is sent.

    Letters that somebody else holds at this moment are left out.
    """
    async with database.writing() as connection:
        replays = await _plan(connection, unless_held(_to_replay(ids)))
        marks = [
            {"of_letter": each.letter.id, "as_request": each.request_id, "as_attempt": each.attempt}
            for each in replays
        ]
        if marks:
            await connection.execute(_MARK, marks)
    return replays


@asynccontextmanager
async def held_replays(database: Database, replays: Sequence[Replay]) -> AsyncIterator[HeldReplays]:
    """Hold those of the letters that are still to be replayed, while they are published.

    On PostgreSQL by a lock on each, which ends with the process that has it, however that ends;
    whoever replays the same letters meanwhile passes them over. On SQLite by its one lock for
    writing, for which the other waits.
    """
    ids = tuple(each.letter.id for each in replays)
    wanted = LetterFilter(ids=ids, statuses=(LetterStatus.REPLAYING,)).conditions()
    async with database.writing() as connection:
        found = await connection.execute(unless_held(select(_LETTER.c.id).where(*wanted)))
        held = set(found.scalars())
        yield HeldReplays(connection, [each for each in replays if each.letter.id in held])


def _to_replay(ids: Sequence[UUID]) -> Select[Any]:
    wanted = LetterFilter(ids=tuple(ids), statuses=REPLAYABLE, replayable=True)
    return (
        select(*FULL, _DECISION.c.forward)
        .select_from(WITH_DECISION)
        .where(*wanted.conditions())
        .order_by(_LETTER.c.dead_at, _LETTER.c.id)
    )


async def _plan(connection: AsyncConnection, query: Select[Any]) -> list[Replay]:
    return [_replay(row) for row in (await connection.execute(query)).mappings()]


def _replay(row: RowMapping) -> Replay:
    """As what a letter is published.

    A request that was aborted into the dead letters takes its next attempt, since this one is
    decided. One that was never decided, or otherwise, comes as the same attempt: to be governed,
    or to be answered with what was decided.
    """
    fields = dict(row)
    is_aborted = fields.pop("forward") is Forward.DEAD_LETTER
    letter = FullLetter(**fields)
    is_begun = letter.is_edited or letter.status is LetterStatus.REPLAYING
    if is_begun and letter.replay_request_id is not None and letter.replay_attempt is not None:
        request_id, attempt = letter.replay_request_id, letter.replay_attempt
    else:
        request_id, attempt = str(letter.request_id), (letter.attempt or 0) + is_aborted
    marked = replace(letter, replay_request_id=request_id, replay_attempt=attempt)
    return Replay(letter=marked, request_id=request_id, attempt=attempt)
