"""Concurrency limits as operators set and see them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

from persistence.database import Database
from persistence.inserting import insert_into
from persistence.lists import among
from persistence.schema import ConcurrencyLimitRow, ConcurrencySlotRow, RunRow, table_of
from rules.moments import utc_now
from rules.runs import RunKind
from rules.states import StateType

_RUN = table_of(RunRow)
_LIMIT = table_of(ConcurrencyLimitRow)
_SLOT = table_of(ConcurrencySlotRow)

_KEEP_SLOTS = (StateType.RUNNING, StateType.CANCELLING)

_ALONE = text("LOCK TABLE run IN EXCLUSIVE MODE")


class _HasTag(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_HasTag)
def _in_json(element: _HasTag, compiler: SQLCompiler, **kw: Any) -> str:
    tags, tag = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{tag} IN (SELECT json_array_elements_text({tags}))"


@compiles(_HasTag, "sqlite")
def _in_json_text(element: _HasTag, compiler: SQLCompiler, **kw: Any) -> str:
    tags, tag = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{tag} IN (SELECT value FROM json_each({tags}))"  # noqa: S608  compiled clauses


_TAG = bindparam("limited_tag", type_=_LIMIT.c.tag.type)
_RUNNING_WITH_TAG: tuple[ColumnElement[bool], ...] = (
    _RUN.c.kind == RunKind.TASK,
    _RUN.c.state_type == StateType.RUNNING,
    _HasTag(_RUN.c.tags, _TAG),
)
_STILL_RUNS = select(_RUN.c.id).where(
    _RUN.c.id == _SLOT.c.task_run_id, _RUN.c.state_type.in_(_KEEP_SLOTS)
)
_NAMES = select(_RUN.c.id, _RUN.c.name, _RUN.c.state_type).where(among(_RUN.c.id, "ids"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A task run that holds a slot."""

    task_run_id: UUID
    name: str | None
    state_type: StateType | None
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many task runs with the tag may run at a time, and which hold its slots."""

    tag: str
    slots: int
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedSlot:
    """A slot that was taken from a task run that no longer runs, and what that run is."""

    tag: str
    task_run_id: UUID
    name: str | None
    state_type: StateType | None


async def set_limit(database: Database, tag: str, slots: int) -> int:
    """Set the limit of a tag; the task runs with it that are RUNNING already become holders.

    Governing waits meanwhile, so that no run starts unseen.

    Returns:
        How many hold a slot now; it can be more than the limit.

    Raises:
        ValueError: ``slots`` is negative.
    """
    if slots < 0:
        raise ValueError("a limit is 0 or more")
    async with _alone(database) as connection:
        setting = insert_into(connection, _LIMIT).on_conflict_do_update(
            index_elements=["tag"], set_={"slots": slots}
        )
        await connection.execute(setting, {"tag": tag, "slots": slots})
        running = select(literal(tag), _RUN.c.id, literal(utc_now(), _SLOT.c.taken_at.type)).where(
            *_RUNNING_WITH_TAG
        )
        entering = (
            insert_into(connection, _SLOT)
            .from_select(["tag", "task_run_id", "taken_at"], running)
            .on_conflict_do_nothing()
        )
        await connection.execute(entering, {"limited_tag": tag})
        holders = select(_SLOT.c.task_run_id).where(_SLOT.c.tag == tag)
        return len((await connection.execute(holders)).all())


async def list_limits(database: Database, *tags: str) -> list[Limit]:
    """The limits of these tags, or all limits, by tag; each with its holders, the oldest first."""
    listing = select(_LIMIT).order_by(_LIMIT.c.tag)
    holding = (
        select(_SLOT.c.tag, _RUN.c.id, _RUN.c.name, _RUN.c.state_type, _SLOT.c.taken_at)
        .join_from(_SLOT, _RUN, _RUN.c.id == _SLOT.c.task_run_id)
        .order_by(_SLOT.c.taken_at, _SLOT.c.task_run_id)
    )
    if tags:
        listing = listing.where(_LIMIT.c.tag.in_(tags))
        holding = holding.where(_SLOT.c.tag.in_(tags))
    async with database.reading() as connection:
        limits = (await connection.execute(listing)).all()
        held = await connection.execute(holding)
        holders: dict[str, list[Holder]] = {}
        for tag, run_id, name, state_type, taken_at in held:
            holder = Holder(task_run_id=run_id, name=name, state_type=state_type, taken_at=taken_at)
            holders.setdefault(tag, []).append(holder)
    return [
        Limit(tag=limit.tag, slots=limit.slots, holders=tuple(holders.get(limit.tag, ())))
        for limit in limits
    ]


async def delete_limit(database: Database, tag: str) -> bool:
    """Take the limit of a tag away, with its slots; False where it had none."""
    async with database.writing() as connection:
        deleting = delete(_LIMIT).where(_LIMIT.c.tag == tag).returning(_LIMIT.c.tag)
        return (await connection.execute(deleting)).first() is not None


async def reset_slots(database: Database, *tags: str) -> list[FreedSlot]:
    """Free the slots of task runs that no longer run, of these tags or of all, and name them.

    A run that is CANCELLING still runs.
    """
    async with _alone(database) as connection:
        freeing = delete(_SLOT).where(~_STILL_RUNS.exists())
        if tags:
            freeing = freeing.where(_SLOT.c.tag.in_(tags))
        rows = await connection.execute(freeing.returning(_SLOT.c.tag, _SLOT.c.task_run_id))
        freed = sorted(tuple(row) for row in rows)
        named = await connection.execute(_NAMES, {"ids": [run_id for _, run_id in freed]})
        runs = {run_id: (name, state_type) for run_id, name, state_type in named}
    return [
        FreedSlot(tag=tag, task_run_id=run_id, name=runs[run_id][0], state_type=runs[run_id][1])
        for tag, run_id in freed
    ]


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction during which nothing is governed.

    Sessions lock runs before all else: those under way are waited for, others wait at their first
    statement, where they hold nothing yet that this transaction could need.
    """
    async with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(_ALONE)
        yield connection
