"""Traces replayed step by step."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.conformance.backend import Backend, World
from tests.conformance.comparison import differences
from tests.conformance.traces import Step, Trace


@dataclass(slots=True)
class Report:
    """How many traces and steps were replayed, and each step that differed, in words."""

    traces: int = 0
    steps: int = 0
    different: list[str] = field(default_factory=list)

    @property
    def equal(self) -> int:
        return self.steps - len(self.different)


async def replay(traces: Iterable[Trace], backend: Backend) -> Report:
    """Replay each trace in a world of its own, and go on after a difference."""
    report = Report()
    for trace in traces:
        report.traces += 1
        async with backend.world(trace) as world:
            for number, step in enumerate(trace.steps):
                found = await _differences(step, world)
                report.steps += 1
                if found:
                    place = f"{trace.name}, step {number}, {step.run} to {step.propose.type}"
                    report.different.append(f"{place}: {'; '.join(found)}")
    return report


async def _differences(step: Step, world: World) -> list[str]:
    try:
        return differences(step.expect, await world.propose(step))
    except Exception as error:  # noqa: BLE001  a step that raises is one that differs
        return [f"raised {type(error).__name__}: {error}"]
