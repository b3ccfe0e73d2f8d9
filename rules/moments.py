"""Moments: times with a zone, kept in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    TypeAdapter,
    ValidationError,
)

# A year's distance from the ends of the calendar: PostgreSQL's driver takes its very first and last
# moments for infinite, and no clock in another zone could show what is next to them.
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: it is not between ``EARLIEST`` and ``LATEST``.
    """
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("must lie between the years 2 and 9998 in UTC")
    return moment.astimezone(UTC)


_TIME = TypeAdapter[datetime](AwareDatetime)


def _from_text(value: object) -> object:
    """Read a text as a time, but not one that only counts: "20260101" would be a day in 1970."""
    if not isinstance(value, str):
        return value
    if ":" not in value:
        raise ValueError("must be a time with its date and zone, such as 2026-01-01T12:00:00Z")
    try:
        return _TIME.validate_python(value)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None


Moment = Annotated[AwareDatetime, BeforeValidator(_from_text), AfterValidator(in_utc)]
