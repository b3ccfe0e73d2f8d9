"""Runs and their current states from the database, one statement for a whole batch.

A statement's text is the same for every length of the batch: lists are bound as one value.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.demands import Demand
from persistence.lists import among, among_selected, each
from persistence.schema import ArtifactRow, RunRow, RunStateRow, table_of
from persistence.translation import RUN_COLUMNS, STATE_COLUMNS, state_id_of, to_run, to_state
from rules.runs import Run, RunKind
from rules.states import State, StateType

_RUN = table_of(RunRow)
_STATE = table_of(RunStateRow)
_ARTIFACT = table_of(ArtifactRow)
_FAMILY = _RUN.alias("family")

STATE_DATA = func.coalesce(_ARTIFACT.c.data, _STATE.c.data, type_=_STATE.c.data.type)
STATE_WITH_DATA = _STATE.outerjoin(_ARTIFACT, _ARTIFACT.c.state_id == _STATE.c.id)
"""A state's result stands in its artifact, where it has one."""

_WITH_STATES = select(*RUN_COLUMNS, *STATE_COLUMNS, STATE_DATA).select_from(
    _RUN.outerjoin(_STATE, _STATE.c.id == _RUN.c.state_id).outerjoin(
        _ARTIFACT, _ARTIFACT.c.state_id == _STATE.c.id
    )
)
_LOCKED = _WITH_STATES.order_by(_RUN.c.id).with_for_update(key_share=True, of=_RUN)
_LOCK = _LOCKED.where(among(_RUN.c.id, "ids"))
_NAMED = (
    select(each("ids", _RUN.c.id.type).c.value),
    select(_FAMILY.c.parent_task_run_id).where(
        among(_FAMILY.c.id, "flow_run_ids"), _FAMILY.c.parent_task_run_id.is_not(None)
    ),
)
_TO_BE_FORCED = select(_FAMILY.c.id).where(
    among(_FAMILY.c.flow_run_id, "forced"), _FAMILY.c.state_type == StateType.FAILED
)
_LOCK_WITH_FAMILY = _LOCKED.where(among_selected(_RUN.c.id, union_all(*_NAMED)))
_LOCK_WITH_FORCED = _LOCKED.where(among_selected(_RUN.c.id, union_all(*_NAMED, _TO_BE_FORCED)))
_LOCK_VERSIONS = (
    select(_RUN.c.id, _RUN.c.version)
    .where(among(_RUN.c.id, "ids"))
    .order_by(_RUN.c.id)
    .with_for_update(key_share=True)
)

_STATES = (
    select(*STATE_COLUMNS, STATE_DATA).select_from(STATE_WITH_DATA).where(among(_STATE.c.id, "ids"))
)
_UNLOCKED = _WITH_STATES.where(among(_RUN.c.id, "ids"))
_FAILED = _WITH_STATES.where(
    among(_RUN.c.flow_run_id, "ids"), _RUN.c.state_type == StateType.FAILED
)
_STATE_AT = len(RUN_COLUMNS)


async def lock_runs(connection: AsyncConnection, demands: Sequence[Demand]) -> list[Run]:
    """Lock what the demands name, parent task runs and task runs to be forced included.

    Flow runs that are only named as those of new task runs are not locked: all batches with task
    runs of one flow run would wait in line.

    In one statement and in id order, so that two batches can't wait for each other; but for a run
    that became known between two calls, which costs one of them a repetition at worst.
    """
    ids = sorted(set().union(*map(named_by, demands)))
    if not ids:
        return []
    lists = {
        "ids": ids,
        "flow_run_ids": _ids(each for each in demands if each.kind is not RunKind.TASK),
    }
    forced = _ids(each for each in demands if each.forces_task_runs)
    statement = _LOCK_WITH_FAMILY if lists["flow_run_ids"] else _LOCK
    if forced:
        statement, lists["forced"] = _LOCK_WITH_FORCED, forced
    rows = (await connection.execute(statement, lists)).all()
    meanwhile = await _load_states(connection, _changed_meanwhile(rows))
    return [to_run(row, meanwhile.get(state_id_of(row)) or _joined_state(row)) for row in rows]


def _changed_meanwhile(rows: Iterable[Sequence[Any]]) -> list[UUID]:
    """The current states of those runs that were changed while the statement waited for them.

    A locked row is the newest. What it is joined to is from before the wait, and where that does
    not fit any more, it is joined to nothing.
    """
    return [
        state_id
        for row in rows
        if (state_id := state_id_of(row)) is not None and row[_STATE_AT] is None
    ]


async def load_runs(connection: AsyncConnection, ids: Collection[UUID]) -> list[Run]:
    """These runs in their current states, read without a lock."""
    return await _with_states(connection, _UNLOCKED, ids)


async def load_failed_task_runs(
    connection: AsyncConnection, flow_run_ids: Collection[UUID]
) -> list[Run]:
    """The FAILED task runs of these flow runs, read without a lock."""
    return await _with_states(connection, _FAILED, flow_run_ids)


async def lock_versions(connection: AsyncConnection, ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Lock runs that were read without a lock, and tell their versions."""
    rows = await connection.execute(_LOCK_VERSIONS, {"ids": ids})
    return dict(rows.all())


def named_by(demand: Demand) -> set[UUID]:
    """The demand's run; of a subflow that is yet to be made, the parent that it will have too."""
    parent = getattr(demand.create, "parent_task_run_id", None)
    return {run_id for run_id in (demand.run_id, parent) if run_id is not None}


def _ids(demands: Iterable[Demand]) -> list[UUID]:
    return [demand.run_id for demand in demands if demand.run_id is not None]


async def _load_states(
    connection: AsyncConnection, ids: Collection[UUID]
) -> Mapping[UUID | None, State]:
    if not ids:
        return {}
    rows = await connection.execute(_STATES, {"ids": ids})
    return {row[0]: to_state(row[:-1], row[-1]) for row in rows}


async def _with_states(
    connection: AsyncConnection, statement: Select[Any], ids: Collection[UUID]
) -> list[Run]:
    rows = (await connection.execute(statement, {"ids": ids})).all()
    return [to_run(row, _joined_state(row)) for row in rows]


def _joined_state(row: Sequence[Any]) -> State | None:
    if row[_STATE_AT] is None:
        return None
    return to_state(row[_STATE_AT:-1], row[-1])
