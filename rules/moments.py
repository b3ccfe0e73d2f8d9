"""Moments: times with a zone, kept in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

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


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
