from pathlib import Path
from uuid import uuid4

from pydantic_core import from_json

from rules.runs import RunKind
from tests.chaos.history import History, QueueAtEnd, Rows, Sent
from tests.chaos.saving import save


def test_all_of_a_history_can_be_read_again_a_line_for_each_value(tmp_path: Path) -> None:
    run_id = uuid4()
    sent = [
        Sent(
            request_id=name,
            run_id=run_id,
            kind=RunKind.TASK,
            body=b"\xff{}",
            lane=0,
            position=0,
            confirmed=True,
        )
        for name in ("a", "b")
    ]
    queues = {"q": QueueAtEnd(ready=1, unacknowledged=0)}
    history = History(sent=sent, heard=[], rows=Rows(limits={"db": 1}), queues=queues)
    save(history, tmp_path)
    lines = [from_json(line) for line in (tmp_path / "sent.jsonl").read_bytes().splitlines()]
    assert [line["request_id"] for line in lines] == ["a", "b"]
    assert lines[0]["run_id"] == str(run_id)
    assert lines[0]["body"] == "\\xff{}"
    assert from_json((tmp_path / "queues.json").read_bytes()) == {
        "q": {"ready": 1, "unacknowledged": 0}
    }
    assert from_json((tmp_path / "limits.json").read_bytes()) == {"db": 1}
    assert (tmp_path / "decisions.jsonl").read_bytes() == b""
