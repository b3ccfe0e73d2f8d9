"""Runs and records for tests to put into a database."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from persistence.database import Database
from persistence.dead_letters.values import DeadLetter
from persistence.demands import Demand
from persistence.records import DecisionRecord, Forward
from persistence.session import Session
from rules.runs import Run, RunKind
from rules.states import State, StateType

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def make_runs(database: Database, *runs: Run) -> None:
    """Put runs on record, as they are described."""
    demands = [Demand(run_id=run.id, kind=run.kind, create=run) for run in runs]
    async with database.session(demands) as session:
        for run in runs:
            session.make_run(run)


async def record_letters(database: Database, *letters: DeadLetter) -> None:
    """Put dead letters on record."""
    async with database.session() as session:
        session.keep_letters(letters)


async def enter(session: Session, run: Run, state: State) -> None:
    """Let a run enter a state, as the rules' bookkeeping does."""
    found = await session.run(run.id)
    assert found is not None
    found.state_type, found.state_name = state.type, state.name
    found.state_timestamp = state.timestamp
    session.write_state(found, state)


def record_of(run: Run | None, request_id: str, attempt: int = 0, **changes: Any) -> DecisionRecord:
    """A decision that accepted a request for RUNNING."""
    fields: dict[str, Any] = {
        "request_id": request_id,
        "attempt": attempt,
        "run_id": run.id if run else None,
        "run_kind": RunKind(run.kind) if run else None,
        "body_sha256": sha256(request_id.encode()).digest(),
        "user_id": "producer",
        "proposed_type": StateType.RUNNING,
        "decision": "accept",
        "code": None,
        "rule": None,
        "body": b'{"decision": "accept"}',
        "decided_at": NOON,
        "retry_at": None,
        "forward": Forward.NONE,
        **changes,
    }
    return DecisionRecord(**fields)
