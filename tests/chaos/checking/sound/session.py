"""A session in memory that keeps decisions too, for the worker's own way of deciding."""

from typing import cast
from uuid import UUID

from persistence.records import BegunRecord, DecisionRecord, RequestKey
from persistence.session import Session
from rules.runs import Run
from tests.memory.session import MemorySession
from tests.memory.tables import Tables


class KeepingSession(MemorySession):
    """Lets requests be decided one after the other, as in one transaction that never ends."""

    def __init__(self, tables: Tables) -> None:
        self.records: dict[RequestKey, DecisionRecord] = {}
        self.counts: dict[RequestKey, BegunRecord] = {}
        self._runs = tables.runs
        super().__init__(tables)

    async def run(self, run_id: UUID) -> Run | None:
        """The run, whatever its kind."""
        return await self.task_run(run_id) or await self.flow_run(run_id)

    def make_run(self, described: Run) -> Run:
        """The run, made as described where it is unknown."""
        return self._runs.setdefault(described.id, described)

    def recorded(self, request_id: str, attempt: int) -> DecisionRecord | None:
        """The decision on record."""
        return self.records.get((request_id, attempt))

    def begun(self, request_id: str, attempt: int) -> BegunRecord | None:
        """What was counted of the attempt."""
        return self.counts.get((request_id, attempt))

    def record(self, record: DecisionRecord) -> None:
        """Put a decision on record."""
        self.records[record.request_id, record.attempt] = record

    def for_decider(self) -> Session:
        """This session, as the worker calls it."""
        return cast("Session", self)
