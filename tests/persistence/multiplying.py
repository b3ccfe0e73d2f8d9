"""Tables made long in little time: copies of what stands in them, made by the database alone."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Integer,
    Table,
    Text,
    Uuid,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    table,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence.schema import Base

_ROWS_AT_ONCE = 20_000
_TABLES = tuple(each for each in Base.metadata.sorted_tables if each.name != "topology")
_TEXT_KEYS = frozenset({"letter_id", "replay_request_id", "request_id", "tag"})
_QUICKLY = (
    text("SET LOCAL session_replication_role = replica"),  # copies fit as what they are made of
    text("SET LOCAL synchronous_commit = off"),
)


async def multiply(engine: AsyncEngine, times: int) -> None:
    """Let there be so many of each row, on PostgreSQL, and let it know as a vacuum does in time.

    The rows of one copy belong together as do those that they are made of. Their ids are older.
    What JSON and bodies tell of ids is copied as it stands.
    """
    async with engine.connect() as connection, connection.begin():
        for statement in _QUICKLY:
            await connection.execute(statement)
        for each in _TABLES:
            original = _original(each)
            await connection.execute(select(each).into(original.name, temporary=True))
            counted = select(func.count()).select_from(original)
            await _copy(connection, each, (await connection.execute(counted)).scalar_one(), times)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in (text("VACUUM (ANALYZE)"), text("CHECKPOINT")):
            await connection.execute(statement)


async def _copy(connection: AsyncConnection, target: Table, rows: int, times: int) -> None:
    step = max(1, _ROWS_AT_ONCE // max(1, rows))
    for first in range(1, times, step):
        await connection.execute(_copying(target, first, min(first + step, times) - 1))


def _original(target: Table) -> Any:
    columns = (column(each.name, each.type) for each in target.c)
    return table(f"original_{target.name}", *columns)


def _copying(target: Table, first: int, last: int) -> Insert:
    original: FromClause = _original(target)
    copies = func.generate_series(first, last).table_valued(column("copy", Integer))
    copies = copies.render_derived()
    kept = [each.name for each in target.c if each.autoincrement is not True]
    values = select(*(_copied(original.c[name], copies.c.copy) for name in kept))
    return insert(target).from_select(kept, values.select_from(original.join(copies, true())))


def _copied(value: Any, copy: ColumnElement[int]) -> Any:
    if isinstance(value.type, Uuid):
        # A UUIDv7 begins with its time: those of the first copies come first, all before today's.
        older = func.lpad(func.to_hex(copy), 8, "0", type_=Text)
        return cast(older + func.substr(cast(value, Text), 9), Uuid)
    if value.name in _TEXT_KEYS:
        return cast(value, Text) + literal("-") + cast(copy, Text)
    return value
