"""The in-memory storage, which outlives its sessions."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from uuid import UUID

from pydantic import JsonValue

from rules.runs import Run
from rules.states import State
from tests.memory.session import MemorySession
from tests.memory.tables import Tables


class MemoryStorage:
    """Storage as the contract suite wants it (see ``tests.contract.storage``)."""

    def __init__(self) -> None:
        self._tables = Tables()

    @asynccontextmanager
    async def transaction(
        self,
        run_ids: Collection[UUID],  # noqa: ARG002  all runs are at hand here
        *,
        new_runs: Iterable[Run] = (),
    ) -> AsyncIterator[MemorySession]:
        tables = self._tables.copy()
        for run in new_runs:
            tables.runs.setdefault(run.id, copy(run))
        yield MemorySession(tables)
        self._tables = tables

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        self._tables.limits.update(limits)

    async def states(self, run_id: UUID) -> Sequence[State]:
        return [row.state for row in self._tables.states if row.run_id == run_id]

    async def artifacts(self, run_id: UUID) -> Sequence[JsonValue]:
        return [row.data for row in self._tables.artifacts if row.run_id == run_id]
