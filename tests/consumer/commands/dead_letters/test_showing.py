import json
from base64 import b64decode
from typing import Any

from persistence.database import Database
from persistence.records import Forward
from rules.identifiers import uuid7
from rules.runs import RunKind
from tests.consumer.commands.conftest import InDatabase
from tests.consumer.commands.dead_letters.conftest import Recorded, Rows, Run
from tests.persistence.dead_letters.letters import BODY, letter, of_request
from tests.persistence.records import record_of

JSON = b'{"run":{"kind":"task"},"note":"\\u001b[2J"}'


def decide(in_database: InDatabase, request_id: str, **changes: Any) -> None:
    async def write(database: Database) -> None:
        async with database.session() as session:
            session.record(record_of(None, request_id, **changes))

    in_database(write)


def test_all_that_is_known_of_a_letter_is_shown(
    run: Run, recorded: Recorded, in_database: InDatabase
) -> None:
    run_id = uuid7()
    [letter_id] = recorded(
        of_request(
            "r",
            body=JSON,
            run_kind=RunKind.TASK,
            run_id=run_id,
            error_type="KeyError",
            error="the flag",
            exchange="pointsman.requests",
            routing_key="ab",
        )
    )
    decision = json.dumps({"decision": "abort", "reason": "A rule failed."}).encode()
    decide(
        in_database,
        "r",
        decision="abort",
        code="rule-error",
        rule="TeamBudget",
        body=decision,
        forward=Forward.DEAD_LETTER,
    )
    text = run("show", letter_id).stdout
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0] == f"dead letter {letter_id}"
    assert "KeyError: the flag" in text
    assert f"task {run_id}" in text
    assert "r, attempt 0" in text
    assert "pointsman.requests, routing key ab" in text
    assert '      "kind": "task"' in lines
    assert '  "note": "\\u001b[2J"' in text
    assert '    "type": "pointsman.request.v1",' in lines
    assert any("rule-error" in line and "TeamBudget" in line for line in lines)
    assert "A rule failed." in text


def test_a_body_that_is_no_json_is_shown_as_far_as_it_can_be_read(
    run: Run, recorded: Recorded
) -> None:
    no_text, no_json, ambiguous = recorded(
        letter("bytes"),
        letter("text", body=b"not\njson \x1b[2J"),
        letter("twice", body=b'{"a":1,"a":2}'),
    )
    assert f"00000000  {BODY.hex(' ')}" in run("show", no_text).stdout
    text = run("show", no_json).stdout
    assert "  not\n  json \\x1b[2J\n" in text
    assert '  {"a":1,"a":2}\n' in run("show", ambiguous).stdout
    assert "no decision is on record" in text


def test_json_has_the_bytes_and_the_decisions(
    rows: Rows, recorded: Recorded, in_database: InDatabase
) -> None:
    [letter_id] = recorded(of_request("r"))
    decide(in_database, "r", attempt=0)
    decide(in_database, "r", attempt=1)
    decide(in_database, "another")
    [row] = rows("show", letter_id)
    assert b64decode(row["body_base64"]) == BODY
    assert (row["body_text"], row["edited_body_base64"]) == (None, None)
    assert row["properties"]["type"] == "pointsman.request.v1"
    assert [(each["request_id"], each["attempt"]) for each in row["decisions"]] == [
        ("r", 0),
        ("r", 1),
    ]
    assert row["decisions"][0]["body"] == {"decision": "accept"}


def test_an_edited_letter_is_shown_with_both_bodies_and_both_requests(
    run: Run, rows: Rows, recorded: Recorded, in_database: InDatabase
) -> None:
    [letter_id] = recorded(of_request("r", body=b"{}"))
    new = b'{"run":{"kind":"task","id":"0190b9b0-7d0a-7c2f-8f57-0123456789ab"},"state":null}'
    assert run("edit", letter_id, "--body", "-", stdin=new).exit_code == 0
    [row] = rows("show", letter_id)
    assert (row["body_text"], row["edited_body_text"]) == ("{}", new.decode())
    decide(in_database, row["replay_request_id"])
    assert len(rows("show", letter_id)[0]["decisions"]) == 1
    text = run("show", letter_id).stdout
    assert "\nedited body\n" in text
    assert f"to be replayed as  {row['replay_request_id']}, attempt 0" in text


def test_a_letter_that_is_not_there_is_told_in_a_line(run: Run, recorded: Recorded) -> None:
    recorded()
    result = run("show", uuid7())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no dead letter" in result.stderr
