"""What each step takes is its own, and every step is seen."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from benchmarks import latency
from benchmarks.peers.load import STEPS
from benchmarks.stopwatch import ELSE, Stopwatch
from benchmarks.stopwatch import STEPS as STEPPING

_WORK_SECONDS = 0.02


def work() -> None:
    """Take that much CPU time, and at least as much on the clock."""
    until = time.process_time() + _WORK_SECONDS
    while time.process_time() < until:
        pass


async def test_a_step_is_timed_without_the_steps_within_it() -> None:
    stopwatch = Stopwatch()
    inner = stopwatch.timed("inner", work)

    async def outer() -> None:
        inner()
        inner()
        await asyncio.sleep(_WORK_SECONDS)

    began = time.perf_counter()
    await stopwatch.timed("outer", outer)()
    whole = time.perf_counter() - began
    stopwatch.end_batch()

    [batch] = stopwatch.batches
    assert batch["inner"][1] >= 2 * _WORK_SECONDS
    assert batch["outer"][0] >= _WORK_SECONDS
    assert batch["outer"][0] + batch["inner"][0] <= whole


def test_batches_are_kept_apart() -> None:
    stopwatch = Stopwatch()
    for steps in (["one", "two"], ["two"]):
        for step in steps:
            stopwatch.timed(step, lambda: None)()
        stopwatch.end_batch()

    assert [list(batch) for batch in stopwatch.batches] == [["one", "two"], ["two"]]


def test_lone_requests_are_timed_step_by_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latency.main(runs=20, folder=tmp_path)

    found = json.loads((tmp_path / "latency.json").read_text())
    assert found["milliseconds"].keys() == found["steps"].keys() == set(STEPS)
    seen = [laps.keys() for laps in found["steps"].values()]
    assert set().union(*seen) == {step for *_, step in STEPPING} | {ELSE}
    assert set.intersection(*map(set, seen)) >= {"begin", "write", "commit", ELSE}
    assert capsys.readouterr().out.splitlines()[-1].startswith(" from publish to decision")
