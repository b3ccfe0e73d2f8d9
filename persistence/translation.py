"""Between rows and the values that rules work with."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from persistence.schema import RunRow, RunStateRow, table_of
from rules.runs import NO_POLICY, FlowRun, Run, RunKind, RunPolicy, TaskRun
from rules.states import State, StateDetails

Values = tuple[Any, ...]

_DESCRIPTION = (
    "kind",
    "name",
    "tags",
    "retries",
    "retry_delay",
    "bare",
    "flow_run_id",
    "task_key",
    "dynamic_key",
    "deployment_id",
    "parent_task_run_id",
)
_PROGRESS = (
    "version",
    "state_id",
    "state_type",
    "state_name",
    "state_timestamp",
    "run_count",
    "flow_run_run_count",
    "start_time",
    "end_time",
    "total_run_time",
    "expected_start_time",
    "next_scheduled_start_time",
)
RUN_COLUMNS = tuple(table_of(RunRow).c[name] for name in ("id", *_DESCRIPTION, *_PROGRESS))
PROGRESS_COLUMNS = _PROGRESS
DESCRIPTION_COLUMNS = _DESCRIPTION
NEW_RUN_COLUMNS = ("id", "created", *_DESCRIPTION, *_PROGRESS)
NEW_STATE_COLUMNS = (
    "id",
    "run_id",
    "version",
    "type",
    "name",
    "timestamp",
    "message",
    "data",
    "state_details",
    "created",
)
STATE_COLUMNS = tuple(
    table_of(RunStateRow).c[name]
    for name in ("id", "type", "name", "timestamp", "message", "state_details")
)

_NO_DETAILS = StateDetails()
_STATE_ID = len(RUN_COLUMNS) - len(_PROGRESS) + _PROGRESS.index("state_id")
_TASK_PROGRESS: Callable[[Run], Values] = attrgetter(*_PROGRESS)
_ALL_OF: dict[type[Run], tuple[tuple[str, ...], Callable[[Run], Values]]] = {
    kind: (names, attrgetter(*names))
    for kind in (FlowRun, TaskRun)
    for names in [tuple(field.name for field in fields(kind))]
}


def state_id_of(row: Sequence[Any]) -> UUID | None:
    """The id of the current state in a row of ``RUN_COLUMNS``."""
    found: UUID | None = row[_STATE_ID]
    return found


def to_run(row: Sequence[Any], state: State | None) -> Run:
    """The run in a row of ``RUN_COLUMNS``, in that current state."""
    # fmt: off
    (
        run_id, kind, name, tags, retries, retry_delay, bare, flow_run_id, task_key, dynamic_key,
        deployment_id, parent_task_run_id, version, _, state_type, state_name, state_timestamp,
        run_count, flow_run_run_count, start_time, end_time, total_run_time, expected_start_time,
        next_scheduled_start_time, *_,
    ) = row
    # fmt: on
    shared: dict[str, Any] = {
        "id": run_id,
        "name": name,
        "tags": tuple(tags),
        "policy": _policy(retries, retry_delay),
        "bare": bare,
        "version": version,
        "state": state,
        "state_type": state_type,
        "state_name": state_name,
        "state_timestamp": state_timestamp,
        "run_count": run_count,
        "start_time": start_time,
        "end_time": end_time,
        "total_run_time": total_run_time,
        "expected_start_time": expected_start_time,
        "next_scheduled_start_time": next_scheduled_start_time,
    }
    if kind is RunKind.FLOW:
        return FlowRun(deployment_id=deployment_id, parent_task_run_id=parent_task_run_id, **shared)
    return TaskRun(
        flow_run_id=flow_run_id,
        task_key=task_key,
        dynamic_key=dynamic_key,
        flow_run_run_count=flow_run_run_count,
        **shared,
    )


def to_state(columns: Sequence[Any], data: Any) -> State:
    """The state in ``STATE_COLUMNS``; what stands in the database was checked before."""
    state_id, state_type, name, timestamp, message, details = columns
    return State.model_construct(
        id=state_id,
        type=state_type,
        name=name,
        timestamp=timestamp,
        message=message,
        data=data,
        state_details=StateDetails.model_validate(details) if details else _NO_DETAILS,
    )


def progress(run: Run) -> Values:
    """What changes as a run goes on, in the order of ``PROGRESS_COLUMNS``."""
    if isinstance(run, TaskRun):
        return _TASK_PROGRESS(run)
    return tuple(getattr(run, name, None) for name in _PROGRESS)


def description(run: Run) -> Values:
    """What a run is made as, in the order of ``DESCRIPTION_COLUMNS``."""
    return (
        run.kind,
        run.name,
        list(run.tags),
        run.policy.retries,
        run.policy.retry_delay,
        run.bare,
        getattr(run, "flow_run_id", None),
        getattr(run, "task_key", None),
        getattr(run, "dynamic_key", None),
        getattr(run, "deployment_id", None),
        getattr(run, "parent_task_run_id", None),
    )


def new_run_row(run: Run, version: int, created: datetime) -> Values:
    """The row of a run that is to be inserted, in the order of ``NEW_RUN_COLUMNS``."""
    return (run.id, created, *description(run), version, *progress(run)[1:])


def state_row(
    run_id: UUID, version: int, state: State, data: JsonValue, created: datetime
) -> Values:
    """The row of a state that is to be inserted, in the order of ``NEW_STATE_COLUMNS``."""
    return (
        state.id,
        run_id,
        version,
        state.type,
        state.name,
        state.timestamp,
        state.message,
        data,
        state.state_details.model_dump(mode="json", exclude_defaults=True),
        created,
    )


def snapshot(run: Run) -> Values:
    """All of a run's fields, to be put back by ``restore``."""
    return _ALL_OF[type(run)][1](run)


def restore(run: Run, values: Values) -> None:
    """Make a run what it was when the snapshot was taken."""
    for name, value in zip(_ALL_OF[type(run)][0], values, strict=True):
        setattr(run, name, value)


def as_snapshot(run: Run, values: Values) -> Run:
    """Another object, with the run as it was when the snapshot was taken."""
    return type(run)(**dict(zip(_ALL_OF[type(run)][0], values, strict=True)))


def _policy(retries: int | None, retry_delay: float | None) -> RunPolicy:
    if retries is None and retry_delay is None:
        return NO_POLICY
    return RunPolicy.model_construct(retries=retries, retry_delay=retry_delay)
