"""Many rows written by one statement, each column bound as one array.

Row by row, SQLAlchemy processes, the driver binds and PostgreSQL executes as if each row were a
statement of its own, which costs more than the rows do. Other databases get them row by row.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Table,
    and_,
    bindparam,
    column,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Delete, Insert, Update

Row = Sequence[Any]


class BulkWrite:
    """A statement over rows, whose values come in the order of the names."""

    def __init__(
        self,
        table: Table,
        names: Sequence[str],
        together: Insert | Update | Delete,
        one: Insert | Update | Delete,
    ) -> None:
        self._names = [_bound(table, name) for name in names]
        self.together = together
        self._one = one

    async def execute(self, connection: AsyncConnection, rows: Collection[Row]) -> None:
        """Write the rows, in their order; there is at least one."""
        if connection.dialect.name == "postgresql":
            await connection.execute(self.together, self.arrays(rows))
        else:
            parameters = [dict(zip(self._names, row, strict=True)) for row in rows]
            await connection.execute(self._one, parameters)

    def arrays(self, rows: Collection[Row]) -> Mapping[str, Sequence[Any]]:
        """The rows as the parameters of ``together``."""
        columns = map(list, zip(*rows, strict=True)) if rows else ([] for _ in self._names)
        return dict(zip(self._names, columns, strict=True))


class BulkInsert(BulkWrite):
    """Inserts rows into a table.

    ``keeps``: a row that is there already is left as it is; else it fails the statement.
    """

    def __init__(self, table: Table, names: Sequence[str], *, keeps: bool = False) -> None:
        together = postgresql.insert(table).from_select(names, select(*_rows(table, names).c))
        one = sqlite.insert(table).values({name: _value(table, name) for name in names})
        super().__init__(
            table,
            names,
            together.on_conflict_do_nothing() if keeps else together,
            one.on_conflict_do_nothing() if keeps else one,
        )


class BulkUpdate(BulkWrite):
    """Updates rows found by their keys; values come in the order of keys, then names."""

    def __init__(self, table: Table, keys: Sequence[str], names: Sequence[str]) -> None:
        both = (*keys, *names)
        rows = _rows(table, both)
        together = update(table).where(_same(table, keys, rows))
        one = update(table).where(_given(table, keys))
        super().__init__(
            table,
            both,
            together.values({name: rows.c[name] for name in names}),
            one.values({name: _value(table, name) for name in names}),
        )


class BulkDelete(BulkWrite):
    """Deletes rows found by their keys, where they are there."""

    def __init__(self, table: Table, keys: Sequence[str]) -> None:
        together = delete(table).where(_same(table, keys, _rows(table, keys)))
        super().__init__(table, keys, together, delete(table).where(_given(table, keys)))


class WrittenTogether:
    """Writes to several tables, each of which may have no rows, in one round trip on PostgreSQL.

    That is worth a third of a millisecond for each that is saved, which is what a request costs
    that is decided alone.
    """

    def __init__(self, *writes: BulkWrite) -> None:
        self._writes = writes
        *others, last = (write.together for write in writes)
        self._statement = last.add_cte(
            *(each.cte(f"written_{number}") for number, each in enumerate(others))
        )

    async def execute(self, connection: AsyncConnection, *rows: Collection[Row]) -> None:
        """Write the rows; there may be none.

        PostgreSQL checks foreign keys when all is written, and promises no order: no write may
        need to see what another one has written.
        """
        if not any(rows):
            return
        if connection.dialect.name == "postgresql":
            parameters: dict[str, Any] = {}
            for write, each in zip(self._writes, rows, strict=True):
                parameters |= write.arrays(each)
            await connection.execute(self._statement, parameters)
            return
        for write, each in zip(self._writes, rows, strict=True):
            if each:
                await write.execute(connection, each)


def _rows(table: Table, names: Sequence[str]) -> FromClause:
    """The bound arrays as a table with these columns."""
    arrays = (
        bindparam(_bound(table, name), type_=ARRAY(table.c[name].type, dimensions=1))
        for name in names
    )
    columns = (column(name, table.c[name].type) for name in names)
    return func.unnest(*arrays).table_valued(*columns).render_derived("given")


def _same(table: Table, keys: Sequence[str], rows: FromClause) -> ColumnElement[bool]:
    return and_(*(table.c[name] == rows.c[name] for name in keys))


def _given(table: Table, keys: Sequence[str]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == _value(table, name) for name in keys))


def _value(table: Table, name: str) -> Any:
    return bindparam(_bound(table, name))


def _bound(table: Table, name: str) -> str:
    """A parameter's name, which must not be a column's."""
    return f"{table.name}__{name}"  # one underscore would make two of run_state.id
