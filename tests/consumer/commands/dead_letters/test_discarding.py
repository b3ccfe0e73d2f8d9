import pytest

from consumer.commands.dead_letters import confirming
from tests.consumer.commands.dead_letters.conftest import Recorded, Rows, Run
from tests.persistence.dead_letters.letters import letter, of_request


def by_status(rows: Rows) -> dict[str, str]:
    return {row["request_id"]: row["status"] for row in rows("list")}


def test_letters_are_discarded_by_their_ids(run: Run, rows: Rows, recorded: Recorded) -> None:
    first, _ = recorded(of_request("a"), of_request("b"))
    result = run("discard", first)
    assert (result.exit_code, result.stdout) == (0, "letters discarded: 1\n")
    assert by_status(rows) == {"a": "discarded", "b": "open"}


def test_letters_are_discarded_by_what_they_are_if_that_is_meant(
    rows: Rows, recorded: Recorded
) -> None:
    recorded(of_request("a"), of_request("b", reason="failed"), of_request("c", reason="failed"))
    told = rows("discard", "--reason", "failed", "--limit", 1, "--yes")
    assert [(row["request_id"], row["status"]) for row in told] == [("b", "discarded")]
    assert by_status(rows) == {"a": "open", "b": "discarded", "c": "open"}


@pytest.mark.parametrize("command", ["discard", "replay"])
def test_without_a_terminal_somebody_must_have_said_yes(
    run: Run, rows: Rows, recorded: Recorded, command: str
) -> None:
    recorded(of_request("a"))
    result = run(command, "--reason", "rule-error")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--yes" in result.stderr
    assert by_status(rows) == {"a": "open"}


def test_on_a_terminal_somebody_is_asked(
    run: Run, rows: Rows, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "is_terminal", lambda: True)
    recorded(of_request("a"), of_request("b"))
    result = run("discard", stdin=b"n\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Discard 2 letters?" in result.stderr
    assert by_status(rows) == {"a": "open", "b": "open"}
    assert run("discard", stdin=b"y\n").exit_code == 0
    assert by_status(rows) == {"a": "discarded", "b": "discarded"}


def test_what_would_be_discarded_is_told_and_left(run: Run, rows: Rows, recorded: Recorded) -> None:
    recorded(of_request("a"), letter("nameless"))
    assert [row["status"] for row in rows("discard", "--dry-run")] == ["open", "open"]
    assert len(run("discard", "--dry-run").stdout.splitlines()) == 3
    assert by_status(rows) == {"a": "open", None: "open"}


def test_nothing_to_discard_is_no_error(run: Run, rows: Rows, recorded: Recorded) -> None:
    recorded()
    assert run("discard").stdout == "letters discarded: 0\n"
    assert rows("discard") == []


def test_what_was_done_with_already_is_left_out_by_name(
    run: Run, recorded: Recorded, rows: Rows
) -> None:
    first, second = recorded(of_request("a"), of_request("b"))
    run("discard", first)
    result = run("discard", first, second)
    assert (result.exit_code, result.stdout) == (0, "letters discarded: 1\n")
    assert result.stderr == f"left out: dead letter {first} is discarded\n"
    assert by_status(rows) == {"a": "discarded", "b": "discarded"}
