from base64 import b64decode
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_core import from_json

from consumer.commands.dead_letters import exporting
from consumer.errors import PointsmanError
from tests.consumer.commands.dead_letters.conftest import Recorded, Run
from tests.persistence.dead_letters.letters import BODY, letter, of_request
from tests.persistence.records import NOON


def test_letters_are_written_one_in_a_line_in_the_order_of_their_deaths(
    run: Run, recorded: Recorded
) -> None:
    recorded(of_request("a", body=b'{"a": "\xc3\xa9"}'), letter("b", dead_at=NOON - timedelta(1)))
    result = run("export")
    assert (result.exit_code, result.stderr) == (0, "")
    first, second = (from_json(line) for line in result.stdout.splitlines())
    assert (first["request_id"], first["body_text"]) == (None, None)
    assert b64decode(first["body_base64"]) == BODY
    assert (second["request_id"], second["body_text"]) == ("a", '{"a": "é"}')
    assert second["properties"]["type"] == "pointsman.request.v1"


def test_letters_are_chosen_and_written_to_a_file(
    run: Run, recorded: Recorded, tmp_path: Path
) -> None:
    recorded(of_request("a"), of_request("b", reason="failed"), of_request("c", reason="failed"))
    file = tmp_path / "letters.jsonl"
    result = run("export", "--reason", "failed", "--limit", 1, "--output", file)
    assert (result.exit_code, result.stdout) == (0, "")
    [line] = file.read_bytes().splitlines()
    assert from_json(line)["request_id"] == "b"


def test_an_error_leaves_the_file_as_it_was(
    run: Run, recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(of_request("a"))
    (tmp_path / "out").mkdir()
    file = tmp_path / "out" / "letters.jsonl"
    file.write_text("of yesterday\n")

    def fail(_row: object) -> bytes:
        raise PointsmanError("the database went away")

    monkeypatch.setattr(exporting, "to_json", fail)
    assert run("export", "--output", file).exit_code == 1
    assert file.read_text() == "of yesterday\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_can_not_be_written_is_told_in_a_line(
    run: Run, recorded: Recorded, tmp_path: Path
) -> None:
    recorded(of_request("a"))
    result = run("export", "--output", tmp_path / "nowhere" / "letters.jsonl")
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert "nowhere" in line
