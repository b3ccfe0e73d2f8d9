"""What became of one run: its requests and their decisions, in order."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from persistence.database import Database
from persistence.loading import load_runs
from persistence.records import DecisionRecord
from persistence.schema import DecisionRow, table_of
from rules.runs import Run

_DECISION = table_of(DecisionRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """A run, None where there is none, and the decisions on it as they were made."""

    run: Run | None
    decisions: tuple[DecisionRecord, ...]


async def run_history(database: Database, run_id: UUID) -> RunHistory:
    """The run of that id as it stands, and all decisions that are on record of it."""
    async with database.reading() as connection:
        runs = await load_runs(connection, [run_id])
        rows = await connection.execute(
            select(_DECISION)
            .where(_DECISION.c.run_id == run_id)
            .order_by(_DECISION.c.decided_at, _DECISION.c.request_id, _DECISION.c.attempt)
        )
        decisions = tuple(DecisionRecord(**row) for row in rows.mappings())
    return RunHistory(run=runs[0] if runs else None, decisions=decisions)
