"""How often an attempt was begun alone, and how often it failed: each count a transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import update

from persistence.database import Database
from persistence.inserting import insert_into
from persistence.recalling import BEGUN_COLUMNS
from persistence.records import BegunRecord
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


async def remember_sender(database: Database, key: BegunKey, now: datetime) -> None:
    """Keep who sent a request, before it goes round without that; nothing is counted."""
    async with database.writing() as connection:
        inserting = insert_into(connection, _BEGUN).on_conflict_do_nothing()
        await connection.execute(inserting, _first(key, now))


async def count_begun(database: Database, key: BegunKey, now: datetime) -> BegunRecord:
    """Count that the attempt is begun, before it is governed; the count is committed."""
    return await _count(database, key, "begun", now)


async def uncount_begun(database: Database, key: BegunKey, now: datetime) -> None:
    """Take one count of ``count_begun`` back."""
    of_attempt = (_BEGUN.c.request_id == key.request_id) & (_BEGUN.c.attempt == key.attempt)
    async with database.writing() as connection:
        await connection.execute(
            update(_BEGUN)
            .where(of_attempt & (_BEGUN.c.begun > 0))
            .values(begun=_BEGUN.c.begun - 1, updated=now)
        )


async def count_failure(database: Database, key: BegunKey, now: datetime) -> BegunRecord:
    """Count that the attempt failed; the count is committed."""
    return await _count(database, key, "failures", now)


async def _count(
    database: Database, key: BegunKey, what: Literal["begun", "failures"], now: datetime
) -> BegunRecord:
    """Count one up; whom the first count named stays named."""
    async with database.writing() as connection:
        counting = (
            insert_into(connection, _BEGUN)
            .on_conflict_do_update(
                index_elements=["request_id", "attempt"],
                set_={what: _BEGUN.c[what] + 1, "updated": now},
            )
            .returning(*BEGUN_COLUMNS)
        )
        row = (await connection.execute(counting, _first(key, now) | {what: 1})).mappings().one()
    return BegunRecord(**row)


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
