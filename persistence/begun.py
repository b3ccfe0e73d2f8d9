"""How often an attempt was begun alone, and how often it failed: each count a transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import bindparam, update

from persistence.database import Database
from persistence.inserting import insert_into
from persistence.recalling import BEGUN_COLUMNS, load_begun
from persistence.records import BegunRecord, RequestKey
from persistence.schema import BegunRow, table_of

_BEGUN = table_of(BegunRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunKey:
    """Which attempt of which request is counted.

    ``user_id`` is the sender's, as the broker checked it.
    """

    request_id: str
    attempt: int
    run_id: UUID
    body_sha256: bytes
    user_id: str | None


BegunCounts: TypeAlias = Mapping[BegunKey, int]
"""For how many times attempts are begun, each named once."""


async def remember_sender(database: Database, key: BegunKey, now: datetime) -> None:
    """Keep who sent a request, before it goes round without that; nothing is counted."""
    async with database.writing() as connection:
        inserting = insert_into(connection, _BEGUN).on_conflict_do_nothing()
        await connection.execute(inserting, _first(key, now))


async def begun_before(
    database: Database, attempts: Collection[RequestKey]
) -> Mapping[RequestKey, int]:
    """Those of these attempts that are counted as begun, and how often."""
    async with database.reading() as connection:
        found = await load_begun(connection, attempts)
    return {key: record.begun for key, record in found.items() if record.begun > 0}


async def count_begun(database: Database, counts: BegunCounts, now: datetime) -> None:
    """Put on record that each attempt is begun for so many times; more on record stays.

    Said twice it is counted once, so that it can be repeated where its commit was not answered.
    """
    async with database.writing() as connection:
        inserting = insert_into(connection, _BEGUN)
        counting = inserting.on_conflict_do_update(
            index_elements=["request_id", "attempt"],
            set_={"begun": inserting.excluded.begun, "updated": now},
            where=_BEGUN.c.begun < inserting.excluded.begun,
        )
        await connection.execute(
            counting, [_first(key, now) | {"begun": counts[key]} for key in _in_order(counts)]
        )


async def uncount_begun(database: Database, counts: BegunCounts, now: datetime) -> None:
    """Take back that each attempt is begun for so many times, where that is on record.

    Likewise: said twice it is taken back once.
    """
    rows = [
        {"of_request": key.request_id, "of_attempt": key.attempt, "of_count": counts[key]}
        for key in _in_order(counts)
    ]
    uncounting = (
        update(_BEGUN)
        .where(
            _BEGUN.c.request_id == bindparam("of_request"),
            _BEGUN.c.attempt == bindparam("of_attempt"),
            _BEGUN.c.begun >= bindparam("of_count"),
        )
        .values(begun=_BEGUN.c.begun - 1, updated=now)
    )
    async with database.writing() as connection:
        await connection.execute(uncounting, rows)


async def count_failure(database: Database, key: BegunKey, now: datetime) -> BegunRecord:
    """Count that the attempt failed; whom the first count named stays named."""
    async with database.writing() as connection:
        counting = (
            insert_into(connection, _BEGUN)
            .on_conflict_do_update(
                index_elements=["request_id", "attempt"],
                set_={"failures": _BEGUN.c.failures + 1, "updated": now},
            )
            .returning(*BEGUN_COLUMNS)
        )
        row = (await connection.execute(counting, _first(key, now) | {"failures": 1})).mappings()
        return BegunRecord(**row.one())


def _in_order(counts: BegunCounts) -> list[BegunKey]:
    """In the order of the primary key, as anyone else who counts several locks their rows."""
    return sorted(counts, key=lambda key: (key.request_id, key.attempt))


def _first(key: BegunKey, now: datetime) -> dict[str, Any]:
    return {
        "request_id": key.request_id,
        "attempt": key.attempt,
        "run_id": key.run_id,
        "body_sha256": key.body_sha256,
        "user_id": key.user_id,
        "begun": 0,
        "failures": 0,
        "updated": now,
    }
