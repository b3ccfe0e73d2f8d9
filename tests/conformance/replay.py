"""Traces replayed step by step."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.conformance.backend import Backend, World
from tests.conformance.comparison import differences
from tests.conformance.traces import Step, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How many traces and steps were replayed, and each step that differed, in words."""

    traces: int
    steps: int
    different: Sequence[str]

    @property
    def equal(self) -> int:
        return self.steps - len(self.different)


async def replay(traces: Iterable[Trace], backend: Backend) -> Report:
    """Replay each trace in a world of its own, its steps in order, and go on after a difference.

    As many traces are replayed at a time as the backend says; the report keeps their order.
    """
    free = asyncio.Semaphore(backend.at_once)
    async with asyncio.TaskGroup() as group:
        replays = [group.create_task(_replay(trace, backend, free)) for trace in traces]
    results = [result for each in replays for result in each.result()]
    return Report(
        traces=len(replays),
        steps=len(results),
        different=tuple(result for result in results if result is not None),
    )


async def _replay(trace: Trace, backend: Backend, free: asyncio.Semaphore) -> list[str | None]:
    """What differed in each step, in words, None where nothing did."""
    results: list[str | None] = []
    async with free, backend.world(trace) as world:
        for number, step in enumerate(trace.steps):
            found = await _differences(step, world)
            place = f"{trace.name}, step {number}, {step.run} to {step.propose.type}"
            results.append(f"{place}: {'; '.join(found)}" if found else None)
    return results


async def _differences(step: Step, world: World) -> list[str]:
    try:
        return differences(step.expect, await world.propose(step))
    except Exception as error:  # noqa: BLE001  a step that raises is one that differs
        return [f"raised {type(error).__name__}: {error}"]
