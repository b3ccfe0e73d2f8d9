"""Runs that requests may have to make, inserted so that they are locked like known ones."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.bulk import BulkInsert, Row
from persistence.demands import Demand
from persistence.lists import among
from persistence.schema import RunRow, table_of
from persistence.translation import NEW_RUN_COLUMNS, new_run_row
from rules.runs import FlowRun, Run

PROSPECTIVE = -1
"""The version of a run that was inserted to be locked, and is not yet wanted.

No other transaction ever sees it: before the commit such a run is either made, at version 0, or
deleted again.
"""

_RUN = table_of(RunRow)
_INSERT = BulkInsert(_RUN, NEW_RUN_COLUMNS, keeps=True)
_INSERT_AND_TELL = _INSERT.together.returning(_RUN.c.id)
_INSERTED = select(_RUN.c.id).where(among(_RUN.c.id, "ids"), _RUN.c.version == PROSPECTIVE)


async def insert_prospects(
    connection: AsyncConnection, demands: Sequence[Demand], now: datetime
) -> list[Run]:
    """Insert the runs that may have to be made, and their flow runs, in id order.

    Those that are there already are left alone, and are not among what this gives: what was
    inserted is locked by that, and is not read again, since it is what the demands say.
    """
    new: dict[UUID, Run] = {}
    for demand in demands:
        if demand.create is not None:
            new.setdefault(demand.create.id, demand.create)
    for flow_run_id in _named_flow_run_ids(demands):
        new.setdefault(flow_run_id, FlowRun(id=flow_run_id, bare=True))
    inserted = await _insert(connection, new, now)
    return [_as_inserted(run) for run_id, run in new.items() if run_id in inserted]


async def _insert(
    connection: AsyncConnection, new: Mapping[UUID, Run], now: datetime
) -> Collection[UUID]:
    """Insert these runs; which of them were not there already."""
    ids = sorted(new)
    rows: list[Row] = [new_run_row(new[run_id], PROSPECTIVE, now) for run_id in ids]
    if connection.dialect.name == "postgresql":
        told = await connection.execute(_INSERT_AND_TELL, _INSERT.arrays(rows))
    else:
        await _INSERT.execute(connection, rows)
        told = await connection.execute(_INSERTED, {"ids": ids})
    return set(told.scalars())


def _as_inserted(described: Run) -> Run:
    run = copy(described)
    run.version = PROSPECTIVE
    return run


def _named_flow_run_ids(demands: Sequence[Demand]) -> list[UUID]:
    """The flow runs of task runs that may have to be made."""
    named = (getattr(demand.create, "flow_run_id", None) for demand in demands)
    return [flow_run_id for flow_run_id in named if flow_run_id is not None]
