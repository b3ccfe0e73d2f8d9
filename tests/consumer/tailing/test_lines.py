import json
from typing import Any

from consumer.tailing.lines import json_line, parts
from consumer.tailing.subscription import Announced

RUN = "0190b9b0-7d0a-7c2f-8f57-0123456789ab"
OTHER = "0190b9b0-7d0a-7c2f-8f57-0123456789ac"
ACCEPTED: dict[str, Any] = {
    "decision": "accept",
    "code": None,
    "reason": None,
    "retry_at": None,
    "state": {"type": "RUNNING", "name": "Retrying"},
    "run": {"kind": "task", "id": RUN},
    "decided_at": "2026-01-01T12:00:00.123456Z",
}
DELAYED = ACCEPTED | {
    "decision": "delay",
    "state": None,
    "code": "limit-reached",
    "reason": "The tag is full.",
    "retry_at": "2026-01-01T12:00:30Z",
}


def line(decision: dict[str, Any], key: str = f"task.accept.running.{RUN}") -> list[str]:
    return [part.text for part in parts(Announced(key, decision))]


def test_a_line_tells_when_which_run_what_was_decided_and_what_was_written() -> None:
    when, run, verdict, written = line(ACCEPTED)
    assert when == "2026-01-01 12:00:00"
    assert run == f"task {RUN}"
    assert verdict == "accept"
    assert written == "RUNNING (Retrying)"


def test_where_nothing_was_written_it_tells_why_and_until_when() -> None:
    *_, verdict, code, until, reason = line(DELAYED, f"task.delay.none.{RUN}")
    assert verdict.strip() == "delay"
    assert (code, until, reason) == (
        "limit-reached",
        "until 2026-01-01 12:00:30",
        "The tag is full.",
    )


def test_for_a_run_that_was_moved_along_it_tells_with_which() -> None:
    *_, run, _, along = line(ACCEPTED, f"task.accept.completed.{OTHER}")
    assert run == f"task {OTHER}"
    assert along == f"COMPLETED, along with {RUN}"


def test_each_decision_has_its_colour() -> None:
    styles = {
        decision: list(parts(Announced("", {"decision": decision})))[2].style
        for decision in ("accept", "reject", "delay", "abort")
    }
    assert len(set(styles.values())) == 4


def test_whatever_a_stranger_announces_makes_a_line() -> None:
    strange = {"decision": ["?"], "state": 7, "run": "x", "decided_at": 5, "code": {}, "reason": []}
    assert line(strange, "no key of ours")[0] == "-"
    assert line({}, "")


def test_for_a_program_it_is_the_decision_with_its_routing_key_on_one_line() -> None:
    told = json_line(Announced("task.accept.running.x", ACCEPTED | {"reason": "two\nlines"}))
    assert "\n" not in told
    assert json.loads(told) == ACCEPTED | {
        "reason": "two\nlines",
        "routing_key": "task.accept.running.x",
    }
