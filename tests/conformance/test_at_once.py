"""Traces are replayed side by side, as many as the backend can have, and told in their order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.conformance.backend import Outcome
from tests.conformance.replay import replay
from tests.conformance.traces import Step, Trace


class Meeting:
    """Worlds in which nothing comes of a step, and not before so many wait for theirs."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.seen_at_once = 0
        self._there = 0
        self._all_there = asyncio.Barrier(at_once)

    @asynccontextmanager
    async def world(self, trace: Trace) -> AsyncIterator["Meeting"]:
        del trace
        self._there += 1
        self.seen_at_once = max(self.seen_at_once, self._there)
        yield self
        self._there -= 1

    async def propose(self, step: Step) -> Outcome:
        await self._all_there.wait()
        raise LookupError(step.run)


def trace(name: str) -> Trace:
    step = {"run": "t1", "propose": {"type": "RUNNING"}, "expect": {}}
    described = {"name": name, "kind": "task", "limits": {}, "runs": [], "steps": [step]}
    return Trace.model_validate(described)


async def test_as_many_as_the_backend_can_have_are_under_way_and_no_more() -> None:
    backend = Meeting(3)
    report = await replay([trace(f"trace {number}") for number in range(9)], backend)

    assert backend.seen_at_once == 3
    assert (report.traces, report.steps, report.equal) == (9, 9, 0)


async def test_differences_are_told_in_the_order_of_the_traces() -> None:
    names = [f"trace {number}" for number in range(4)]
    report = await replay([trace(name) for name in names], Meeting(2))

    assert [different.partition(",")[0] for different in report.different] == names
