"""The transactional session over tables in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from rules.runs import FlowRun, Run, RunKind, TaskRun
from rules.states import State, StateType
from tests.memory.errors import NoSqlError, StorageBusyError
from tests.memory.tables import Artifact, CachedState, Slot, Tables, WrittenState

_NAMES: Mapping[RunKind, Sequence[str]] = {
    kind.kind: tuple(described.name for described in fields(kind)) for kind in (FlowRun, TaskRun)
}
_VALUES: Mapping[RunKind, Callable[[Run], tuple[object, ...]]] = {
    kind: attrgetter(*names) for kind, names in _NAMES.items()
}


@dataclass(frozen=True, slots=True)
class _Beginning:
    """How things were when a request began; its runs are added as they are handed out."""

    states: int
    artifacts: int
    cached_states: int
    slots: frozenset[Slot]
    runs: dict[UUID, tuple[object, ...]] = field(default_factory=dict)


class MemorySession:
    """Works on tables of its own; what becomes of them is for its owner to say."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.begin_request()

    def begin_request(self) -> None:
        tables = self._tables
        self._beginning = _Beginning(
            states=len(tables.states),
            artifacts=len(tables.artifacts),
            cached_states=len(tables.cached_states),
            slots=frozenset(tables.slots),
        )

    async def undo_request(self) -> None:
        tables, beginning = self._tables, self._beginning
        del tables.states[beginning.states :]
        del tables.artifacts[beginning.artifacts :]
        del tables.cached_states[beginning.cached_states :]
        tables.slots = set(beginning.slots)
        for run_id, values in beginning.runs.items():
            run = tables.runs[run_id]
            for name, value in zip(_NAMES[run.kind], values, strict=True):
                setattr(run, name, value)

    async def flow_run(self, flow_run_id: UUID) -> FlowRun | None:
        run = self._hand_out(flow_run_id)
        return run if isinstance(run, FlowRun) else None

    async def task_run(self, task_run_id: UUID) -> TaskRun | None:
        run = self._hand_out(task_run_id)
        return run if isinstance(run, TaskRun) else None

    async def failed_task_runs(self, flow_run_id: UUID) -> Sequence[TaskRun]:
        failed = [
            run
            for run in self._tables.runs.values()
            if isinstance(run, TaskRun)
            and run.flow_run_id == flow_run_id
            and run.state is not None
            and run.state.type is StateType.FAILED
        ]
        for run in failed:
            self._hand_out(run.id)
        return sorted(failed, key=lambda run: run.id)

    async def concurrency_limits(self, tags: Collection[str]) -> Mapping[str, int]:
        limits = self._tables.limits
        return {tag: limits[tag] for tag in tags if tag in limits}

    async def slots_taken(self, tags: Collection[str]) -> Mapping[str, int]:
        taken = Counter(slot.tag for slot in self._tables.slots)
        return {tag: taken[tag] for tag in tags}

    async def slots_held(self, task_run_id: UUID) -> frozenset[str]:
        return frozenset(slot.tag for slot in self._tables.slots if slot.holder == task_run_id)

    def take_slots(self, task_run_id: UUID, tags: Collection[str]) -> None:
        self._tables.slots.update(Slot(tag, task_run_id) for tag in tags)

    def release_slots(self, task_run_id: UUID, tags: Collection[str]) -> None:
        self._tables.slots.difference_update(Slot(tag, task_run_id) for tag in tags)

    async def cached_state(self, cache_key: str, now: datetime) -> State | None:
        for row in reversed(self._tables.cached_states):
            if row.cache_key == cache_key and (row.expiration is None or row.expiration > now):
                return row.state
        return None

    def remember_state(self, cache_key: str, state: State, expiration: datetime | None) -> None:
        self._tables.cached_states.append(CachedState(cache_key, state, expiration))

    def write_state(self, run: Run, state: State) -> None:
        run.state = state
        run.version += 1
        self._tables.states.append(WrittenState(run.id, state))

    def write_artifact(self, run: Run, state: State) -> None:
        self._tables.artifacts.append(Artifact(run.id, state.data))

    async def sql(self) -> object:
        raise NoSqlError

    def is_transient(self, error: BaseException) -> bool:
        return isinstance(error, StorageBusyError)

    def _hand_out(self, run_id: UUID) -> Run | None:
        run = self._tables.runs.get(run_id)
        if run is not None:
            self._beginning.runs.setdefault(run_id, _VALUES[run.kind](run))
        return run
