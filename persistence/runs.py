"""The runs of a batch: each one object, compared at the end with what the database has."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.bulk import BulkUpdate
from persistence.demands import Demand
from persistence.errors import NotDemandedError, RunChangedMeanwhile
from persistence.lists import among
from persistence.loading import (
    load_failed_task_runs,
    load_runs,
    lock_runs,
    lock_versions,
    named_by,
)
from persistence.prospects import PROSPECTIVE, insert_prospects
from persistence.schema import RunRow, table_of
from persistence.translation import (
    DESCRIPTION_COLUMNS,
    PROGRESS_COLUMNS,
    Values,
    as_snapshot,
    description,
    progress,
    restore,
    snapshot,
)
from rules.runs import FlowRun, Run, TaskRun
from rules.states import StateType

_RUN = table_of(RunRow)
WRITE_RUNS = BulkUpdate(_RUN, ("id",), PROGRESS_COLUMNS)
_DESCRIBE = BulkUpdate(_RUN, ("id",), DESCRIPTION_COLUMNS)
_DELETE = delete(_RUN).where(among(_RUN.c.id, "ids"))


class RunBook:
    """The runs by id, loaded together; one that was not foreseen is read when it is asked for."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._runs: dict[UUID, Run] = {}
        self._stored: dict[UUID, Values] = {}
        self._described: dict[UUID, Values] = {}
        self._prospects: set[UUID] = set()
        self._unlocked: set[UUID] = set()
        self._absent: set[UUID] = set()
        self._failed_known: set[UUID] = set()
        self._snapshots: dict[UUID, Values] = {}
        self._stored_before: dict[UUID, Values] = {}
        self._unlocked_before: set[UUID] = set()

    @property
    def loaded(self) -> Iterable[Run]:
        """All runs that were loaded, also those inserted and not wanted so far."""
        return self._runs.values()

    async def open(self, demands: Sequence[Demand], now: datetime) -> None:
        """Lock and load all runs that are demanded, and insert those that may have to be made.

        Requests say of known runs too how to make them, so it is looked first what is there.
        """
        self._take_in(await lock_runs(self._connection, demands))
        unknown = [
            demand
            for demand in demands
            if demand.create is not None and demand.create.id not in self._runs
        ]
        if unknown:
            self._take_in(await insert_prospects(self._connection, unknown, now))
            # What others have inserted since the first look.
            absent = [demand for demand in demands if not named_by(demand) <= self._runs.keys()]
            self._take_in(await lock_runs(self._connection, absent))
        self._absent |= {demand.run_id for demand in demands if demand.run_id is not None}
        self._absent -= self._runs.keys()
        self._prospects = {
            run_id for run_id, run in self._runs.items() if run.version == PROSPECTIVE
        }
        self._failed_known = {
            demand.run_id for demand in demands if demand.forces_task_runs and demand.run_id
        }

    async def find(self, run_id: UUID) -> Run | None:
        """The run, which from now on belongs to the request."""
        if run_id in self._prospects:
            return None
        if run_id not in self._runs and run_id not in self._absent:
            await self._read({run_id} | self._relatives())
        run = self._runs.get(run_id)
        return None if run is None else self._hand_out(run)

    async def failed_task_runs(self, flow_run_id: UUID) -> list[TaskRun]:
        """The flow run's FAILED task runs in id order."""
        if flow_run_id not in self._failed_known:
            self._failed_known.add(flow_run_id)
            found = await load_failed_task_runs(self._connection, [flow_run_id])
            self._take_in_unlocked(found)
        failed = [
            run
            for run in self._runs.values()
            if isinstance(run, TaskRun)
            and run.flow_run_id == flow_run_id
            and run.state is not None
            and run.state.type is StateType.FAILED
        ]
        for run in failed:
            self._hand_out(run)
        return sorted(failed, key=lambda run: run.id)

    def make(self, described: Run) -> Run:
        """Make a run as described, where it is unknown, or known only for another's sake.

        Raises:
            NotDemandedError: the session was opened without a demand to create it.
        """
        known = self._runs.get(described.id)
        if known is None:
            raise NotDemandedError(f"the run {described.id} to be made")
        if described.id in self._prospects:
            run = copy(described)
            self._begin_existence(run)
        elif known.bare and known.kind is described.kind:
            self._described.setdefault(known.id, description(known))
            run = known
            _copy_description(described, run)
        else:
            return known
        if isinstance(run, TaskRun) and run.flow_run_id in self._prospects:
            self._begin_existence(FlowRun(id=run.flow_run_id, bare=True))
        return run

    def begin(self) -> None:
        """Let the runs that are handed out from here on belong to one request."""
        self._snapshots.clear()

    def remember_stored(self) -> None:
        """Take note of what the database has, for when it is rolled back to here."""
        self._stored_before = self._stored.copy()
        self._unlocked_before = self._unlocked.copy()

    def undo(self, *, rolled_back: bool) -> None:
        """Make the request's runs what they were before it."""
        for run_id, values in self._snapshots.items():
            restore(self._runs[run_id], values)
        self._snapshots.clear()
        if rolled_back:
            self._stored = self._stored_before.copy()
            self._unlocked = self._unlocked_before.copy()

    async def take(self, *, earlier: bool) -> list[Values]:
        """Rows of the runs that differ from what is stored, the request's own as they were before.

        They are locked and to be written now.
        """
        await self._write_descriptions()
        rows: dict[UUID, Values] = {}
        for run_id, run in self._runs.items():
            if run_id in self._prospects:
                continue
            before = self._snapshots.get(run_id) if earlier else None
            values = progress(run if before is None else as_snapshot(run, before))
            if values != self._stored[run_id]:
                rows[run_id] = values
        await self._lock(rows.keys() & self._unlocked)
        self._stored |= rows
        return _keyed(rows)

    async def finish(self) -> None:
        """Delete what was inserted to be locked and was not wanted in the end."""
        if self._prospects:
            await self._connection.execute(_DELETE, {"ids": sorted(self._prospects)})

    def _take_in(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self._runs[run.id] = run
            self._stored[run.id] = self._stored_before[run.id] = progress(run)

    def _take_in_unlocked(self, runs: Iterable[Run]) -> None:
        new = [run for run in runs if run.id not in self._runs]
        self._take_in(new)
        self._unlocked |= {run.id for run in new}
        self._unlocked_before |= {run.id for run in new}

    def _hand_out(self, run: Run) -> Run:
        if run.id not in self._snapshots:
            self._snapshots[run.id] = snapshot(run)
        return run

    def _begin_existence(self, run: Run) -> None:
        self._described.setdefault(run.id, description(self._runs[run.id]))
        run.version = 0
        self._runs[run.id] = run
        self._prospects.discard(run.id)

    def _relatives(self) -> set[UUID]:
        """Flow runs of the task runs, and parent task runs, that are not loaded yet."""
        related = {
            run.flow_run_id
            if isinstance(run, TaskRun)
            else getattr(run, "parent_task_run_id", None)
            for run in self._runs.values()
        }
        return {
            run_id
            for run_id in related
            if run_id is not None and run_id not in self._runs and run_id not in self._absent
        }

    async def _read(self, ids: set[UUID]) -> None:
        self._take_in_unlocked(await load_runs(self._connection, sorted(ids)))
        self._absent |= ids - self._runs.keys()

    async def _lock(self, ids: set[UUID]) -> None:
        """Lock runs that were read without a lock, as long as they are what they were then."""
        if not ids:
            return
        versions = await lock_versions(self._connection, sorted(ids))
        for run_id in ids:
            if versions.get(run_id) != self._stored[run_id][0]:
                raise RunChangedMeanwhile
        self._unlocked -= ids

    async def _write_descriptions(self) -> None:
        rows = {
            run_id: values
            for run_id, stored in self._described.items()
            if (values := description(self._runs[run_id])) != stored
        }
        self._described.clear()
        if rows:
            await _DESCRIBE.execute(self._connection, _keyed(rows))


def _copy_description(described: Run, run: Run) -> None:
    """Give a bare run its own description; ``bare`` is part of it."""
    changing = {*PROGRESS_COLUMNS, "state"}
    for field in fields(run):
        if field.name not in changing:
            setattr(run, field.name, getattr(described, field.name))


def _keyed(rows: dict[UUID, Values]) -> list[Values]:
    return [(run_id, *rows[run_id]) for run_id in sorted(rows)]
