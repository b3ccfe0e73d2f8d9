from datetime import UTC, datetime, timedelta, timezone

import pytest

from consumer.explaining.wording import clock_time, moment, moment_from, span, times

AT = datetime(2026, 1, 1, 12, 0, 5, 900_000, tzinfo=UTC)


def test_a_moment_is_told_in_utc_to_the_second() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert moment(elsewhere) == "2026-01-01 12:00:05 UTC"
    assert clock_time(elsewhere) == "2026-01-01 12:00:05"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (14, "14 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3_600, "1 h"),
        (7_384, "2 h 3 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert span(seconds) == words
    assert moment_from(AT + timedelta(seconds=seconds), AT).endswith(f"(in {words})")
    assert moment_from(AT - timedelta(seconds=seconds), AT).endswith(f"({words} ago)")


def test_this_very_second_is_now() -> None:
    assert moment_from(AT + timedelta(seconds=0.4), AT).endswith("(now)")


def test_how_often() -> None:
    assert [times(number) for number in (0, 1, 2)] == ["0 times", "once", "2 times"]
