"""Time-ordered identifiers."""

import time
from uuid import RFC_4122

import pytest

from rules.identifiers import uuid7


def test_an_identifier_is_a_uuid_of_version_7() -> None:
    made = uuid7()

    assert made.version == 7
    assert made.variant == RFC_4122


def test_it_begins_with_the_milliseconds_of_its_making() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert before <= made.int >> 80 <= after


def test_no_two_are_the_same() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("later", [1_000, 1_000_000, 3_600_000_000_000])
def test_what_was_made_later_sorts_later(monkeypatch: pytest.MonkeyPatch, later: int) -> None:
    made = []
    for moment in (1_800_000_000_123_456_789, 1_800_000_000_123_456_789 + later):
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        made.append(uuid7())

    assert made == sorted(made)
