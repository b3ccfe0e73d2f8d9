"""Forgetting what nobody will ask for again: old decisions, closed dead letters, expired results.

What is kept, however old: the decisions of a request that may come again by itself (a delay that
Pointsman proposes anew), those whose delayed request or dead letter is not known to be confirmed,
and those of which a dead letter is open, was closed only lately, or was replayed and not decided
since. Runs and their states stay.
"""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.database import Database
from persistence.records import Forward
from persistence.schema import (
    BegunRow,
    CachedStateRow,
    DeadLetterRow,
    DecisionRow,
    LetterStatus,
    table_of,
)

_DECISION = table_of(DecisionRow)
_BEGUN = table_of(BegunRow)
_LETTER = table_of(DeadLetterRow)
_CACHED = table_of(CachedStateRow)
_UNDONE = (LetterStatus.OPEN, LetterStatus.REPLAYING)
_KEYS_AT_ONCE = 1_000

Old: TypeAlias = Callable[[datetime, Any], Select[tuple[Any]]]
"""The keys of the next rows to go, after a key and in its order."""


class Forgotten(StrEnum):
    """What is forgotten, in the words of those who look after it."""

    REQUESTS = "requests"
    DEAD_LETTERS = "dead letters"
    CACHED_RESULTS = "cached results"


@dataclass(frozen=True, slots=True)
class Step:
    """So many of a kind were found, and deleted unless that was only tried."""

    what: Forgotten
    count: int


async def prune(
    database: Database, before: datetime, *, dry_run: bool = False
) -> AsyncIterator[Step]:
    """Forget what is older than a moment, step by step, each a transaction of its own.

    Args:
        database: where from.
        before: requests whose last decision, letters whose closing and results whose expiration
            lie before it.
        dry_run: find and tell all, and delete nothing.
    """
    for what, find, tables in (
        # Letters first: whether one is done with is told by the decision on its replay.
        (Forgotten.DEAD_LETTERS, _old_letters, (_LETTER,)),
        (Forgotten.REQUESTS, _old_requests, (_BEGUN, _DECISION)),
        (Forgotten.CACHED_RESULTS, _old_results, (_CACHED,)),
    ):
        last: Any = None
        while True:
            async with database.writing() as connection:
                keys = (await connection.execute(find(before, last))).scalars().all()
                if keys and not dry_run:
                    await _delete(connection, tables, keys)
            if not keys:
                break
            last = keys[-1]
            yield Step(what, len(keys))


async def _delete(
    connection: AsyncConnection, tables: Collection[Table], keys: Collection[Any]
) -> None:
    for table in tables:
        key = next(iter(table.primary_key.columns))
        await connection.execute(delete(table).where(key.in_(keys)))


def _old_requests(before: datetime, last: str | None) -> Select[tuple[Any]]:
    """Requests all of whose attempts are decided for long, and none of which leads on."""
    others, letter = _DECISION.alias(), _LETTER.alias()
    key = _DECISION.c.request_id
    kept = exists().where(
        others.c.request_id == key,
        or_(
            others.c.decided_at >= before,
            (others.c.forward != Forward.NONE) & ~others.c.forwarded,
        ),
    )
    waiting = _DECISION.c.forward == Forward.DELAY
    asked_about = exists().where(
        letter.c.request_id == key,
        or_(letter.c.status.in_(_UNDONE), letter.c.closed_at >= before, _under_way(letter)),
    )
    latest = select(func.max(others.c.attempt)).where(others.c.request_id == key).scalar_subquery()
    finding = (
        select(key)
        .where(_DECISION.c.attempt == latest, ~waiting, ~kept, ~asked_about)
        .order_by(key)
        .limit(_KEYS_AT_ONCE)
    )
    return finding if last is None else finding.where(key > last)


def _under_way(letter: FromClause) -> ColumnElement[bool]:
    """Whether a letter was replayed, and what it was replayed as is not decided yet."""
    decided = _DECISION.alias()
    return (letter.c.status == LetterStatus.REPLAYED) & ~exists().where(
        decided.c.request_id == letter.c.replay_request_id,
        decided.c.attempt == letter.c.replay_attempt,
    )


def _old_letters(before: datetime, last: Any) -> Select[tuple[Any]]:
    key = _LETTER.c.id
    finding = (
        select(key)
        .where(_LETTER.c.status.not_in(_UNDONE), _LETTER.c.closed_at < before, ~_under_way(_LETTER))
        .order_by(key)
        .limit(_KEYS_AT_ONCE)
    )
    return finding if last is None else finding.where(key > last)


def _old_results(before: datetime, last: Any) -> Select[tuple[Any]]:
    key = _CACHED.c.id
    finding = select(key).where(_CACHED.c.expiration < before).order_by(key).limit(_KEYS_AT_ONCE)
    return finding if last is None else finding.where(key > last)
