"""Each sample belongs to the innermost part that it is in."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from benchmarks import profile, sampler
from rules.identifiers import uuid7


@pytest.fixture(autouse=True)
def _no_timer_left() -> Iterator[None]:
    before = signal.getsignal(signal.SIGPROF)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def frame_in(*files: str) -> FrameType | None:
    """The frame of a call from file to file, the last one the innermost."""
    found: list[FrameType] = []

    def call(rest: tuple[str, ...]) -> None:
        source = "import sys\ndef inner(go, rest): return go(rest) if rest else sys._getframe()\n"
        names: dict[str, Callable[..., Any]] = {}
        exec(compile(source, rest[0], "exec"), names)  # noqa: S102 - a frame in a file of that name
        got = names["inner"](call, rest[1:])
        if got is not None:
            found.append(got)

    call(files)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("files", "part"),
    [
        (("/x/consumer/worker/deciding.py", "/x/rules/orchestration.py"), "rules and transforms"),
        (("/x/rules/states.py", "/lib/pydantic/main.py"), "rules and transforms"),
        (("/x/persistence/runs.py", "/lib/sqlalchemy/engine/base.py"), "SQLAlchemy"),
        (("/x/consumer/commands/consume.py", "/lib/asyncio/events.py"), sampler.ELSE),
        (("/lib/threading.py",), sampler.ELSE),
    ],
)
def test_what_a_part_calls_is_its_own_but_for_other_parts(
    files: tuple[str, ...], part: str
) -> None:
    assert sampler.part_of(frame_in(*files)) == part


def test_samples_are_on_file_when_the_command_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def work() -> None:
        until = time.process_time() + 20 * sampler.INTERVAL_SECONDS
        while time.process_time() < until:
            uuid7()

    path = tmp_path / "samples.json"
    monkeypatch.setattr(sampler, "main", work)
    sampler.sampled(path)
    assert sum(json.loads(path.read_text()).values()) > 0


def test_a_consumer_is_profiled_to_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile.main(runs=300, folder=tmp_path)
    found = json.loads((tmp_path / "profile.json").read_text())["microseconds"]
    assert found["rules and transforms"] > 0
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "all"
