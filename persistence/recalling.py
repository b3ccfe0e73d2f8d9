"""Decisions and begun attempts that are on record."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.demands import Demand
from persistence.lists import among
from persistence.records import BegunRecord, DecisionRecord, Forward, RequestKey
from persistence.schema import BegunRow, DeadLetterRow, DecisionRow, table_of

_DECISION = table_of(DecisionRow)
_BEGUN = table_of(BegunRow)
_LETTER = table_of(DeadLetterRow)


def _of_requests(table: FromClause) -> ColumnElement[bool]:
    """All attempts of the one list of all requests of the other: few more than were asked for."""
    return among(table.c.request_id, "request_ids") & among(table.c.attempt, "attempts")


DECISION_COLUMNS = tuple(_DECISION.c)
BEGUN_COLUMNS = tuple(column for column in _BEGUN.c if column.name != "updated")
_RECORDED = select(*DECISION_COLUMNS).where(_of_requests(_DECISION))
_COUNTED = select(*BEGUN_COLUMNS).where(_of_requests(_BEGUN))
_REPLAYED = select(_LETTER.c.request_id, _LETTER.c.attempt).where(
    _of_requests(_LETTER),
    _LETTER.c.replay_request_id == _LETTER.c.request_id,
    _LETTER.c.replay_attempt == _LETTER.c.attempt + 1,
)


def recorded_keys(demands: Sequence[Demand]) -> set[RequestKey]:
    """Of which attempts the demands need to know whether they are decided."""
    keys: set[RequestKey] = set()
    for demand in demands:
        if demand.request_id is not None:
            attempts = (demand.attempt, demand.attempt - 1, 0) if demand.from_ladder else (0,)
            keys.update((demand.request_id, attempt) for attempt in attempts if attempt >= 0)
            keys.add((demand.request_id, demand.attempt))
    return keys


def begun_keys(demands: Sequence[Demand]) -> set[RequestKey]:
    """Of which attempts the demands need to know how often they were begun."""
    return {
        (demand.request_id, attempt)
        for demand in demands
        if demand.from_ladder and demand.request_id is not None
        for attempt in (0, demand.attempt)
    }


async def load_records(
    connection: AsyncConnection, keys: Collection[RequestKey]
) -> Mapping[RequestKey, DecisionRecord]:
    """The decisions on record; read only when the runs are locked.

    A redelivered message may come while the commit that decided it is still under way: read before
    the wait for the run's lock, its record would not be there yet.
    """
    if not keys:
        return {}
    rows = (await connection.execute(_RECORDED, _lists(keys))).mappings()
    records = [DecisionRecord(**row) for row in rows]
    return {(record.request_id, record.attempt): record for record in records}


def replayed_keys(
    demands: Sequence[Demand], records: Mapping[RequestKey, DecisionRecord | None]
) -> set[RequestKey]:
    """Of which attempts the demands need to know whether their dead letters are replayed.

    Those that were aborted into the dead letters, and that a message claims to come after.
    """
    keys = {
        (demand.request_id, demand.attempt - 1)
        for demand in demands
        if demand.from_ladder and demand.request_id is not None
    }
    return {key for key in keys if _is_dead(records.get(key))}


def _is_dead(record: DecisionRecord | None) -> bool:
    return record is not None and record.forward is Forward.DEAD_LETTER


async def load_replayed(
    connection: AsyncConnection, keys: Collection[RequestKey]
) -> frozenset[RequestKey]:
    """Those of these attempts whose dead letter is being or was replayed as the next attempt."""
    if not keys:
        return frozenset()
    rows = await connection.execute(_REPLAYED, _lists(keys))
    return frozenset((row.request_id, row.attempt) for row in rows)


async def load_begun(
    connection: AsyncConnection, keys: Collection[RequestKey]
) -> Mapping[RequestKey, BegunRecord]:
    """What was counted of these attempts."""
    if not keys:
        return {}
    rows = (await connection.execute(_COUNTED, _lists(keys))).mappings()
    records = [BegunRecord(**row) for row in rows]
    return {(record.request_id, record.attempt): record for record in records}


def _lists(keys: Collection[RequestKey]) -> Mapping[str, Any]:
    return {
        "request_ids": sorted({request_id for request_id, _ in keys}),
        "attempts": sorted({attempt for _, attempt in keys}),
    }
