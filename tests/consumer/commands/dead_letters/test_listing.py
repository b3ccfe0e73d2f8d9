from datetime import timedelta

import pytest

from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind
from tests.consumer.commands.dead_letters.conftest import Recorded, Rows, Run
from tests.persistence.dead_letters.letters import letter, of_request

HOUR = timedelta(hours=1)


def test_letters_are_listed_with_all_that_is_on_record_but_their_bodies(
    rows: Rows, recorded: Recorded
) -> None:
    run_id = uuid7()
    [letter_id] = recorded(of_request("r", 2, run_id=run_id, run_kind=RunKind.TASK, error="why"))
    [row] = rows("list")
    assert (row["id"], row["run_id"], row["error"]) == (str(letter_id), str(run_id), "why")
    assert (row["request_id"], row["attempt"], row["status"]) == ("r", 2, "open")
    assert (row["edited_at"], row["replay_request_id"], row["replay_attempt"]) == (None,) * 3
    assert "body" not in row


def test_a_table_of_letters_has_a_line_for_each(run: Run, recorded: Recorded) -> None:
    recorded(of_request("a"), of_request("b"))
    head, newest, oldest = run("list").stdout.splitlines()
    assert head.split() == [
        "id",
        "status",
        "reason",
        "request",
        "id",
        "run",
        "id",
        "error",
        "dead",
        "at",
    ]
    assert " b " in newest
    assert " a " in oldest


def test_letters_are_chosen_by_every_option(rows: Rows, recorded: Recorded) -> None:
    run_id = uuid7()
    ids = recorded(
        of_request("old", dead_at=utc_now() - 50 * HOUR),
        of_request("failed", reason="failed", dead_at=utc_now()),
        letter("of the run", run_id=run_id, dead_at=utc_now()),
    )

    def listed(*options: object) -> list[str]:
        return [row["id"] for row in rows("list", *options)]

    old, failed, of_run = (str(each) for each in ids)
    assert listed() == [of_run, failed, old]
    assert listed("--limit", 1) == [of_run]
    assert listed("--reason", "failed") == [failed]
    assert listed("--run", run_id) == [of_run]
    assert listed("--request", "old") == [old]
    assert listed("--older-than", "2d") == listed("--older-than", "49") == [old]
    assert listed("--since", "90s") == listed("--since", "15m") == [of_run, failed]
    assert listed("--since", "51") == [of_run, failed, old]
    assert listed("--status", "replayed") == []
    assert listed(old, failed, "--reason", "failed") == [failed]
    assert listed(old, old) == [old]


def test_a_letter_that_is_not_on_record_is_named(run: Run, recorded: Recorded) -> None:
    [known] = recorded(letter("a"))
    unknown = uuid7()
    for command in ("list", "groups", "replay", "discard", "export"):
        result = run(command, known, unknown)
        assert (result.exit_code, result.stdout) == (1, "")
        [line] = result.stderr.splitlines()
        assert str(unknown) in line
        assert str(known) not in line


def test_letters_that_died_alike_are_counted(run: Run, rows: Rows, recorded: Recorded) -> None:
    assert run("groups").stdout == "there is no dead letter\n"
    assert rows("groups") == []
    recorded(
        of_request("a", error_type="KeyError"),
        of_request("b", error_type="KeyError"),
        letter("c", reason="invalid"),
    )
    alike, other = rows("groups")
    assert (alike["letters"], alike["reason"], alike["error_type"]) == (2, "rule-error", "KeyError")
    assert alike.keys() == {
        "letters",
        "status",
        "reason",
        "error_type",
        "run_kind",
        "rule",
        "oldest",
        "newest",
    }
    assert other["reason"] == "invalid"
    assert len(rows("groups", "--limit", 1)) == 1
    head, first, _ = run("groups").stdout.splitlines()
    assert head.split()[:2] == ["letters", "status"]
    assert first.split()[:4] == ["2", "open", "rule-error", "KeyError"]


@pytest.mark.parametrize("age", ["", "x", "3w", "-1", "1e3", "nan", "3 d", "36526d", "٣d"])
def test_what_is_no_age_is_a_usage_error(run: Run, recorded: Recorded, age: str) -> None:
    recorded()
    result = run("list", "--older-than", age)
    assert result.exit_code == 2
    assert "--older-than" in result.stderr
