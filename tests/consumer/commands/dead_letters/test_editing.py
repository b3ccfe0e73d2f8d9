import stat
from pathlib import Path
from uuid import UUID

import pytest
from pydantic_core import from_json, to_json

from tests.consumer.commands.dead_letters.conftest import Recorded, Rows, Run
from tests.consumer.wire.messages import body
from tests.persistence.dead_letters.letters import letter, of_request

GOOD = to_json(body())
BETTER = to_json(body(state={"type": "PENDING"}))


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor that does what is written into it, to the file that it is given."""
    script = tmp_path / "editor"
    script.write_text("#!/bin/sh\n")
    script.chmod(stat.S_IRWXU)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    return script


def test_a_body_from_a_file_is_saved_beside_the_letters_own(
    rows: Rows, recorded: Recorded, tmp_path: Path
) -> None:
    [letter_id] = recorded(of_request("r", body=GOOD))
    file = tmp_path / "body.json"
    file.write_bytes(BETTER)
    [edited] = rows("edit", letter_id, "--body", file)
    assert UUID(edited["replay_request_id"])
    assert (edited["replay_attempt"], edited["request_id"]) == (0, "r")
    [row] = rows("show", letter_id)
    assert (row["body_text"], row["edited_body_text"]) == (GOOD.decode(), BETTER.decode())


def test_each_edit_is_a_new_request(rows: Rows, run: Run, recorded: Recorded) -> None:
    [letter_id] = recorded(of_request("r", body=b"junk"))
    line = run("edit", letter_id, "--body", "-", stdin=GOOD).stdout
    [first] = rows("list")
    assert line == (
        f"dead letter {letter_id} will be replayed as request {first['replay_request_id']}\n"
    )
    run("edit", letter_id, "--body", "-", stdin=GOOD)
    [second] = rows("list")
    assert first["replay_request_id"] != second["replay_request_id"]


def test_the_old_body_makes_it_the_old_letter(rows: Rows, run: Run, recorded: Recorded) -> None:
    [letter_id] = recorded(of_request("r", body=GOOD))
    run("edit", letter_id, "--body", "-", stdin=BETTER)
    result = run("edit", letter_id, "--body", "-", stdin=GOOD)
    assert result.stdout == f"dead letter {letter_id} has its own body again\n"
    [row] = rows("list")
    assert (row["edited_at"], row["replay_request_id"]) == (None, None)


def test_a_letter_without_an_id_gets_one_by_being_edited(
    rows: Rows, run: Run, recorded: Recorded
) -> None:
    [letter_id] = recorded(letter("nameless", body=GOOD))
    assert run("edit", letter_id, "--body", "-", stdin=GOOD).exit_code == 0
    [row] = rows("replay", letter_id, "--dry-run")
    assert (row["request_id"], row["replay_attempt"]) == (None, 0)
    assert UUID(row["replay_request_id"])


def test_what_no_consumer_could_read_is_not_saved(rows: Rows, run: Run, recorded: Recorded) -> None:
    [letter_id] = recorded(of_request("r", body=GOOD))
    result = run("edit", letter_id, "--body", "-", stdin=b'{"run": 1}')
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert "not saved" in line
    assert "run" in line
    assert rows("list")[0]["edited_at"] is None


def test_only_open_letters_are_edited(run: Run, recorded: Recorded) -> None:
    [letter_id] = recorded(of_request("r"))
    run("discard", letter_id)
    result = run("edit", letter_id, "--body", "-", stdin=GOOD)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is discarded; only open ones are edited" in result.stderr


def test_the_editor_gets_the_body_set_out_in_lines(
    run: Run, rows: Rows, recorded: Recorded, editor: Path, tmp_path: Path
) -> None:
    [letter_id] = recorded(of_request("r", body=GOOD))
    seen = tmp_path / "seen"
    editor.write_text(f'#!/bin/sh\ncp "$1" {seen}\nsed -i s/RUNNING/PENDING/ "$1"\n')
    assert run("edit", letter_id).exit_code == 0
    assert '\n    "type": "RUNNING"\n' in seen.read_text()
    [row] = rows("show", letter_id)
    assert from_json(row["edited_body_text"]) == from_json(BETTER)


def test_what_the_editor_leaves_as_it_is_changes_nothing(
    run: Run, rows: Rows, recorded: Recorded, editor: Path
) -> None:
    assert editor.exists()
    [letter_id] = recorded(of_request("r", body=GOOD))
    assert run("edit", letter_id).stdout == "nothing was changed\n"
    editor.write_text('#!/bin/sh\ntouch -d "2001-01-01" "$1"\n')
    assert run("edit", letter_id).stdout == "nothing was changed\n"
    assert rows("list")[0]["edited_at"] is None


def test_a_mistake_in_the_editor_can_be_mended_there(
    run: Run, rows: Rows, recorded: Recorded, editor: Path
) -> None:
    [letter_id] = recorded(of_request("r", body=GOOD))
    editor.write_text(
        '#!/bin/sh\nif grep -q ASLEEP "$1"; then sed -i s/ASLEEP/PENDING/ "$1";'
        ' else sed -i s/RUNNING/ASLEEP/ "$1"; fi\n'
    )
    result = run("edit", letter_id, stdin=b"y\n")
    assert result.exit_code == 0, result.stderr
    assert "this is no request: state" in result.stderr
    [row] = rows("show", letter_id)
    assert from_json(row["edited_body_text"]) == from_json(BETTER)


def test_a_mistake_in_the_editor_can_be_left_at_that(
    run: Run, rows: Rows, recorded: Recorded, editor: Path
) -> None:
    [letter_id] = recorded(of_request("r", body=GOOD))
    editor.write_text('#!/bin/sh\nsed -i s/RUNNING/ASLEEP/ "$1"\n')
    result = run("edit", letter_id, stdin=b"n\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert rows("list")[0]["edited_at"] is None


def test_what_is_no_text_is_not_opened_in_an_editor(
    run: Run, recorded: Recorded, editor: Path
) -> None:
    assert editor.exists()
    [letter_id] = recorded(letter("bytes"))
    result = run("edit", letter_id)
    assert result.exit_code == 1
    assert "--body" in result.stderr
