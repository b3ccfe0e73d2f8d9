"""A few of the messages that ``make fuzz`` sends, and what it does when one escapes."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from consumer.wire.requests import Unreadable
from tests.fuzz.__main__ import main
from tests.fuzz.messages import Message, random_message
from tests.fuzz.road import EscapedError, Road, open_road
from tests.fuzz.saving import load


def some_messages(count: int) -> list[Message]:
    return [random_message(Random(number)) for number in range(count)]  # noqa: S311 - repeatable


async def test_whatever_comes_ends_as_a_decision_or_a_dead_letter(database_url: str) -> None:
    async with open_road(database_url, Random(1)) as road:  # noqa: S311 - repeatable
        messages = some_messages(640)
        for start in range(0, len(messages), 64):
            await road.travel(messages[start : start + 64])
    assert {"accept", "abort (invalid)", "abort (terminal)"} < set(road.ends)
    assert sum(road.ends.values()) >= len(messages)


def test_a_run_tells_how_many_ended_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--messages", "100", "--seed", "7"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("seed 7: 100 messages, ")
    assert "  abort (invalid)\n" in told
    assert "  Field required\n" in told


def test_what_escapes_is_saved_and_can_be_sent_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = some_messages(3)

    async def travel(_: Road, messages: Sequence[Message]) -> None:
        del messages
        raise EscapedError("it ended as nothing", bad)

    with monkeypatch.context() as patched:
        patched.setattr(Road, "travel", travel)
        assert main(["--seed", "5", "--save", str(tmp_path)]) == 1
    saved = tmp_path / "seed-5.jsonl"
    assert load(saved) == bad
    assert f"--replay {saved}" in capsys.readouterr().err
    assert main(["--replay", str(saved)]) == 0
    assert ": 3 messages" in capsys.readouterr().out


@pytest.mark.parametrize("reason", ["a\0b", "\ud800", "\x1b[2J", "x" * 2_000, ""])
async def test_a_reason_that_can_not_be_shown_or_kept_counts_as_escaped(
    sqlite_url: str, reason: str
) -> None:
    async with open_road(sqlite_url, Random(1)) as road:  # noqa: S311 - repeatable
        read = road.read
        road.read = lambda delivery: Unreadable(envelope=read(delivery).envelope, reason=reason)
        with pytest.raises(EscapedError):
            await road.travel(some_messages(1))
