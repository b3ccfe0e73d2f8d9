"""``pointsman consume`` under a stopwatch: what each step takes, on the clock and of CPU.

Written as JSON to the file in the first argument when the consumer is told to stop: for each batch
the seconds by step, those of the steps within a step not counted in it. For batches that come one
by one: where two are in flight, one's steps hold the time of the other's.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from inspect import iscoroutinefunction, unwrap
from pathlib import Path
from typing import Any

from asyncpg.transaction import Transaction

from consumer.broker.intake import Intake
from consumer.commands import main
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Reading
from consumer.worker.deciding import Decider
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.serving import Service
from persistence.decisions import DecisionBook
from persistence.runs import RunBook
from persistence.session import Session
from tests.integration.kill_points.seams import replace

ELSE = "all else in a batch"

STEPS = (
    (RequestReader, "read", "read the request"),
    (Transaction, "start", "begin"),
    (RunBook, "open", "lock and load the run"),
    (DecisionBook, "open", "look up its decision"),
    (RunBook, "_read", "read its flow run"),
    (Decider, "decide", "rules and the decision's bytes"),
    (Session, "finish", "write"),
    (Transaction, "commit", "commit"),
    (OutcomePublisher, "publish", "publish, with confirm"),
    (Intake, "settle", "acknowledge"),
)

Lap = tuple[float, float]
"""Seconds on the clock, and of CPU."""


@dataclass(slots=True)
class Stopwatch:
    """Adds up what steps take, each without the steps within it, batch by batch."""

    batches: list[dict[str, Lap]] = field(default_factory=list)
    _open: dict[str, Lap] = field(default_factory=lambda: defaultdict(lambda: (0.0, 0.0)))
    _within: list[Lap] = field(default_factory=list)

    def end_batch(self) -> None:
        """What was added since the last call was one batch."""
        self.batches.append(dict(self._open))
        self._open.clear()

    def timed(self, step: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, sync or not as it was, added to the step each time."""

        @wraps(call)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            began = self._begin()
            try:
                return await call(*args, **kwargs)
            finally:
                self._end(step, began)

        @wraps(call)
        def called(*args: Any, **kwargs: Any) -> Any:
            began = self._begin()
            try:
                return call(*args, **kwargs)
            finally:
                self._end(step, began)

        return awaited if iscoroutinefunction(unwrap(call)) else called

    def _begin(self) -> Lap:
        self._within.append((0.0, 0.0))
        return _now()

    def _end(self, step: str, began: Lap) -> None:
        lap = _less(_now(), began)
        self._open[step] = _plus(self._open[step], _less(lap, self._within.pop()))
        if self._within:
            self._within[-1] = _plus(self._within[-1], lap)


def watch(path: Path) -> None:
    """Run the command in ``sys.argv``, and write what its batches took."""
    stopwatch = Stopwatch()
    for owner, name, step in STEPS:
        replace(owner, name, partial(stopwatch.timed, step))
    replace(Service, "_process", partial(_batch_by_batch, stopwatch))
    try:
        main()
    finally:
        path.write_text(json.dumps(stopwatch.batches))


def _batch_by_batch(stopwatch: Stopwatch, process: Callable[..., Any]) -> Callable[..., Any]:
    timed = stopwatch.timed(ELSE, process)

    @wraps(process)
    async def processed(service: Service, readings: Sequence[Reading], *args: Any) -> None:
        await timed(service, readings, *args)
        if readings:  # there are none after an idle moment
            stopwatch.end_batch()

    return processed


def _now() -> Lap:
    return time.perf_counter(), time.process_time()


def _plus(one: Lap, other: Lap) -> Lap:
    return one[0] + other[0], one[1] + other[1]


def _less(one: Lap, other: Lap) -> Lap:
    return one[0] - other[0], one[1] - other[1]


if __name__ == "__main__":
    file = Path(sys.argv[1])
    sys.argv = ["pointsman", "consume"]
    watch(file)
