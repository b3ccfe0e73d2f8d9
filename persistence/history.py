"""What became of one run: its requests and their decisions, in order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from persistence.database import Database
from persistence.loading import load_runs
from persistence.records import DecisionRecord
from persistence.schema import BegunRow, DecisionRow, table_of
from rules.runs import Run

_DECISION = table_of(DecisionRow)
_BEGUN = table_of(BegunRow)
_IS_DECIDED = select(_DECISION.c.attempt).where(
    _DECISION.c.request_id == _BEGUN.c.request_id, _DECISION.c.attempt == _BEGUN.c.attempt
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndecidedAttempt:
    """An attempt that is not decided yet: how often it was begun alone, and how often it failed.

    ``updated`` is when the last of these was counted.
    """

    request_id: str
    attempt: int
    begun: int
    failures: int
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """A run, None where there is none, and what is on record of the requests on it.

    ``decisions`` stand in the order in which they were made, ``undecided`` in that of their last
    count. A request that nobody has begun yet, or that is governed for the first time, is in
    neither.
    """

    run: Run | None
    decisions: tuple[DecisionRecord, ...]
    undecided: tuple[UndecidedAttempt, ...] = ()


async def request_decisions(
    database: Database, request_ids: Collection[str]
) -> list[DecisionRecord]:
    """All that was decided on these requests, each one's attempts in order."""
    rows = (
        select(_DECISION)
        .where(_DECISION.c.request_id.in_(request_ids))
        .order_by(_DECISION.c.request_id, _DECISION.c.attempt)
    )
    async with database.reading() as connection:
        return [DecisionRecord(**row) for row in (await connection.execute(rows)).mappings()]


async def run_history(database: Database, run_id: UUID) -> RunHistory:
    """The run of that id as it stands, and all that is on record of the requests on it."""
    async with database.reading() as connection:
        runs = await load_runs(connection, [run_id])
        rows = await connection.execute(
            select(_DECISION)
            .where(_DECISION.c.run_id == run_id)
            .order_by(_DECISION.c.decided_at, _DECISION.c.request_id, _DECISION.c.attempt)
        )
        decisions = tuple(DecisionRecord(**row) for row in rows.mappings())
        columns = (_BEGUN.c[name] for name in UndecidedAttempt.__slots__)
        rows = await connection.execute(
            select(*columns)
            .where(
                _BEGUN.c.run_id == run_id,
                or_(_BEGUN.c.begun > 0, _BEGUN.c.failures > 0),
                ~_IS_DECIDED.exists(),
            )
            .order_by(_BEGUN.c.updated, _BEGUN.c.request_id, _BEGUN.c.attempt)
        )
        undecided = tuple(UndecidedAttempt(**row) for row in rows.mappings())
    return RunHistory(run=runs[0] if runs else None, decisions=decisions, undecided=undecided)
