"""Column types that are the same on PostgreSQL and SQLite."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import JSON, DateTime, Dialect, Enum, Text, TypeDecorator
from sqlalchemy.types import TypeEngine
from typing_extensions import override

_ENUM_LENGTH = 16


class _NaiveUtc(TypeDecorator[datetime]):
    """SQLite keeps no zones: times are written in UTC without one and get it back when read."""

    impl = DateTime
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class _JsonText(TypeDecorator[Any]):
    """A column declared as JSON would make SQLite turn numbers into floats of its own."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value).decode()

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else from_json(value)


def moment() -> TypeEngine[datetime]:
    """A time with a zone, always in UTC when it is read.

    PostgreSQL's driver gives that by itself, so that nothing is done to its values.
    """
    return DateTime(timezone=True).with_variant(_NaiveUtc(), "sqlite")


def enumeration(values: type[StrEnum]) -> Enum:
    """An enum, stored as the text of its value."""
    return Enum(
        values,
        native_enum=False,
        length=_ENUM_LENGTH,
        values_callable=lambda chosen: [member.value for member in chosen],
    )


def json() -> TypeEngine[Any]:
    """JSON as text, never rewritten; None is the database's null, not JSON's."""
    return JSON(none_as_null=True).with_variant(_JsonText(), "sqlite")
