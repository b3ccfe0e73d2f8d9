"""The replay tells what differs, and by its exit code whether something does."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.__main__ import main

RUNNING = {"type": "RUNNING", "timestamp": "2026-01-01T00:00:05+00:00"}
ACCEPTED: dict[str, Any] = {
    "status": "ACCEPT",
    "state": {"type": "RUNNING", "name": "Running", "data": None, "scheduled_in": None},
    "run": {
        "state_type": "RUNNING",
        "run_count": 1,
        "started": True,
        "ended": False,
        "total_run_time": 0.0,
        "start_time": "2026-01-01T00:00:05Z",
        "next_scheduled_in": None,
    },
}


def trace(**changes: Any) -> dict[str, Any]:
    return {
        "name": "one",
        "kind": "task",
        "limits": {},
        "runs": [{"key": "t1", "kind": "task", "tags": []}],
        "steps": [{"run": "t1", "propose": RUNNING, "expect": ACCEPTED}],
        **changes,
    }


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "traces.jsonl"


def run_on(path: Path, *traces: dict[str, Any]) -> int:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in traces))
    return main([str(path)])


def test_equal_steps_are_counted(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_on(written, trace(), trace(name="two")) == 0
    assert "2 of 2 steps equal, in 2 traces" in capsys.readouterr().out


def test_a_file_can_be_replayed_over_a_database(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_on(written, trace())

    assert main([str(written), "--backend", "sqlite"]) == 0
    assert "1 of 1 steps equal, in 1 traces, over sqlite" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({**ACCEPTED, "status": "WAIT"}, "status: expected 'WAIT', found"),
        ({**ACCEPTED, "code": "retry"}, "code: expected 'retry', found None"),
        ({**ACCEPTED, "delay_seconds": 30}, "delay_seconds: expected 30, found None"),
        ({**ACCEPTED, "state": None}, "state: expected None, found"),
        ({**ACCEPTED, "state": {"name": "Retrying"}}, "state.name: expected 'Retrying', found"),
        ({**ACCEPTED, "run": {"run_count": 2}}, "run.run_count: expected 2, found 1"),
        ({**ACCEPTED, "run": {"total_run_time": 1.0}}, "run.total_run_time: expected 1.0"),
        ({**ACCEPTED, "run": {"next_scheduled_in": 0}}, "run.next_scheduled_in: expected 0"),
        ({**ACCEPTED, "run": {"start_time": "2026-01-01T00:00:06Z"}}, "run.start_time: expected"),
        ({**ACCEPTED, "run": {"unheard_of": None}}, "run.unheard_of: expected None, found nothing"),
        ({**ACCEPTED, "parent_task": {"run_count": 0}}, "parent_task: expected"),
    ],
)
def test_a_difference_is_told_with_its_place(
    written: Path, capsys: pytest.CaptureFixture[str], expect: dict[str, Any], told: str
) -> None:
    steps = [{"run": "t1", "propose": RUNNING, "expect": expect}]

    assert run_on(written, trace(steps=steps)) == 1
    output = capsys.readouterr().out
    assert f"one, step 0, t1 to RUNNING: {told}" in output
    assert "0 of 1 steps equal" in output


def test_traces_share_no_slots(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limited = trace(limits={"db": 1}, runs=[{"key": "t1", "kind": "task", "tags": ["db"]}])
    run_on(written, limited, {**limited, "name": "two"})

    assert main([str(written), "--backend", "sqlite"]) == 0
    assert "2 of 2 steps equal" in capsys.readouterr().out


def test_an_abort_without_the_expected_code_is_a_difference(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aborted = {"status": "ABORT", "state": None, "run": {"run_count": 1}}
    steps = [
        {"run": "t1", "propose": RUNNING, "expect": ACCEPTED},
        {"run": "t1", "propose": RUNNING, "expect": aborted},
    ]

    assert run_on(written, trace(steps=steps)) == 1
    assert "code: expected None, found" in capsys.readouterr().out


def test_a_step_that_raises_is_a_difference(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [
        {"run": "t1", "propose": {**RUNNING, "unheard_of": 1}, "expect": ACCEPTED},
        {"run": "t1", "propose": RUNNING, "expect": ACCEPTED},
    ]

    assert run_on(written, trace(steps=steps)) == 1
    output = capsys.readouterr().out
    assert "step 0, t1 to RUNNING: raised ValidationError" in output
    assert "1 of 2 steps equal" in output


def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "missing.jsonl")]) == 1
    assert "can't be replayed" in capsys.readouterr().err


def test_a_line_of_another_form_is_told(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_on(written, {"name": "alone"}) == 1
    assert "can't be replayed" in capsys.readouterr().err


def test_a_file_without_traces_shows_nothing_and_fails(written: Path) -> None:
    assert run_on(written) == 1
