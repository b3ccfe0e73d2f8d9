"""Lists as one bound value each, so that a statement's text does not change with their length.

What is sent again and again under the same text is parsed once by SQLAlchemy and prepared once by
the driver. PostgreSQL takes an array, SQLite a JSON text.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    BindParameter,
    Dialect,
    SelectBase,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, TypeEngine
from typing_extensions import override


class _Listed(TypeDecorator[Sequence[Any]]):
    """A list of a column's values: an array, or JSON with UUIDs as SQLite stores them."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        chosen: TypeEngine[Any] = ARRAY(self.item) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(chosen)

    @override
    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        if dialect.name == "postgresql":
            return values
        return to_json([one.hex if isinstance(one, UUID) else one for one in values]).decode()


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Among)
def _as_array(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _as_json(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  compiled clauses


class _AmongSelected(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_AmongSelected)
def _as_selected_array(element: _AmongSelected, compiler: SQLCompiler, **kw: Any) -> str:
    column, selected = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY (ARRAY{selected})"


@compiles(_AmongSelected, "sqlite")
def _as_subquery(element: _AmongSelected, compiler: SQLCompiler, **kw: Any) -> str:
    column, selected = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN {selected}"


class _Each(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Each)
def _unnested(element: _Each, compiler: SQLCompiler, **kw: Any) -> str:
    (values,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(SELECT unnest({values}) AS value)"


@compiles(_Each, "sqlite")
def _each_of_json(element: _Each, compiler: SQLCompiler, **kw: Any) -> str:
    (values,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_each({values})"


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is in the list bound under ``name``."""
    return _Among(column, _listed(name, column.type))


def among_selected(column: ColumnElement[Any], selected: SelectBase) -> ColumnElement[bool]:
    """Whether the column's value is among those selected, which are few.

    PostgreSQL selects them first, into an array. In a semi-join it would guess how many they are,
    and where it guesses many, read the whole table.
    """
    return _AmongSelected(column, selected.scalar_subquery())


def each(name: str, item: TypeEngine[Any]) -> Any:
    """The list bound under ``name`` as a table with the one column ``value``."""
    return _Each(_listed(name, item)).table_valued("value")


def _listed(name: str, item: TypeEngine[Any]) -> BindParameter[Any]:
    return bindparam(name, type_=_Listed(item))
