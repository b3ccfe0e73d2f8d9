"""Moments: times with a zone, kept in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from rules.moments import Moment, utc_now

MOMENT = TypeAdapter[datetime](Moment)


def test_now_is_in_utc() -> None:
    assert utc_now().tzinfo is UTC


def test_a_time_of_another_zone_is_kept_in_utc() -> None:
    there = datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    kept = MOMENT.validate_python(there)

    assert kept == there
    assert kept.tzinfo is UTC
    assert MOMENT.validate_json('"2026-01-01T14:00:00+02:00"') == kept


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_json('"2026-01-01T14:00:00"')


@pytest.mark.parametrize("text", ["20260101", "1767225600", "-1", "1e9", "2026-01-01", ""])
def test_a_text_that_is_no_time_of_day_is_refused_and_not_taken_for_a_count(text: str) -> None:
    with pytest.raises(ValidationError, match="such as 2026-01-01T12:00:00Z"):
        MOMENT.validate_json(f'"{text}"')


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:00:00-02:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ],
)
def test_a_time_at_the_ends_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="between the years 2 and 9998"):
        MOMENT.validate_json(f'"{text}"')
