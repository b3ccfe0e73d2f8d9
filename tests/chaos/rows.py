"""The rows of a database as a history holds them."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.database import Database
from persistence.recalling import BEGUN_COLUMNS, DECISION_COLUMNS
from persistence.records import BegunRecord, DecisionRecord
from persistence.schema import (
    ConcurrencyLimitRow,
    ConcurrencySlotRow,
    DeadLetterRow,
    RunRow,
    RunStateRow,
    table_of,
)
from tests.chaos.history import LetterAtEnd, Rows, RunAtEnd, SlotAtEnd, StateAtEnd

_RUN = table_of(RunRow)
_STATE = table_of(RunStateRow)
_SLOT = table_of(ConcurrencySlotRow)
_LIMIT = table_of(ConcurrencyLimitRow)
_LETTER = table_of(DeadLetterRow)

_DECISIONS = select(*DECISION_COLUMNS)
_BEGUN = select(*BEGUN_COLUMNS)
_RUNS = select(
    _RUN.c.id, _RUN.c.kind, _RUN.c.version, _RUN.c.state_id, _RUN.c.state_type, _RUN.c.tags
)
_STATES = select(_STATE.c.id, _STATE.c.run_id, _STATE.c.version, _STATE.c.type, _STATE.c.name)
_SLOTS = select(_SLOT.c.tag, _SLOT.c.task_run_id)
_LIMITS = select(_LIMIT.c.tag, _LIMIT.c.slots)
_LETTERS = select(
    _LETTER.c.letter_id,
    _LETTER.c.request_id,
    _LETTER.c.attempt,
    _LETTER.c.reason,
    _LETTER.c.status,
    _LETTER.c.body,
)


async def read_rows(database: Database) -> Rows:
    """All that a history needs, from a database in which nothing changes any more.

    However much that is: rows come in portions, so that no statement takes long.
    """
    async with database.reading() as connection:
        return Rows(
            decisions=[DecisionRecord(**row) async for row in _all(connection, _DECISIONS)],
            states=[StateAtEnd(**row) async for row in _all(connection, _STATES)],
            runs=[
                RunAtEnd(**{**row, "tags": tuple(row["tags"])})
                async for row in _all(connection, _RUNS)
            ],
            slots=[SlotAtEnd(**row) async for row in _all(connection, _SLOTS)],
            limits={row["tag"]: row["slots"] async for row in _all(connection, _LIMITS)},
            letters=[LetterAtEnd(**row) async for row in _all(connection, _LETTERS)],
            begun=[BegunRecord(**row) async for row in _all(connection, _BEGUN)],
        )


async def _all(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[RowMapping]:
    async for row in (await connection.stream(query)).mappings():
        yield row
