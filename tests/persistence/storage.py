"""The contract's storage over a database."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select

from persistence.database import Database
from persistence.demands import Demand
from persistence.limits import set_limit
from persistence.loading import STATE_DATA, STATE_WITH_DATA
from persistence.schema import ArtifactRow, RunStateRow
from persistence.session import Session
from persistence.translation import STATE_COLUMNS, to_state
from rules.runs import Run
from rules.states import State


class DatabaseStorage:
    """Storage as the contract suite wants it (see ``tests.contract.storage``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(
        self, run_ids: Collection[UUID], *, new_runs: Iterable[Run] = ()
    ) -> AsyncIterator[Session]:
        new = {run.id: run for run in new_runs}
        demands = [
            Demand(
                run_id=run_id,
                kind=new[run_id].kind if run_id in new else None,
                create=new.get(run_id),
            )
            for run_id in run_ids
        ]
        async with self._database.session(demands) as session:
            for run in new.values():
                session.make_run(run)
            yield session

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        for tag, slots in limits.items():
            await set_limit(self._database, tag, slots)

    async def states(self, run_id: UUID) -> Sequence[State]:
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(*STATE_COLUMNS, STATE_DATA)
                .select_from(STATE_WITH_DATA)
                .where(RunStateRow.run_id == run_id)
                .order_by(RunStateRow.version)
            )
            return [to_state(row[:-1], row[-1]) for row in rows]

    async def artifacts(self, run_id: UUID) -> Sequence[JsonValue]:
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(ArtifactRow.data)
                .join(RunStateRow, RunStateRow.id == ArtifactRow.state_id)
                .where(ArtifactRow.run_id == run_id)
                .order_by(RunStateRow.version)
            )
            return list(rows.scalars())
