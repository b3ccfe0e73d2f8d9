"""How long the rules take for one transition, on the in-memory session: no database, no broker.

A task run of a flow run goes through PENDING, RUNNING and COMPLETED by the Core policy. What that
costs is told in layers, each with all before it, measured in turn in the same rounds:

- bare: the proposed state is made and written, and the run repeats it; nobody is asked;
- engine: the same through ``govern`` with policies that list nothing;
- transforms: with the bookkeeping of the Global policy;
- rules: with the Core policy too, as every request is governed.

The figures hold for this machine and this minute only: read the ratio to bare.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rules import BaseOrchestrationPolicy, FlowRun, State, StateType, TaskRun
from rules.context import TaskOrchestrationContext
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.orchestration import govern
from rules.policies import CoreTaskPolicy, GlobalTaskPolicy
from rules.policy import RuleOrTransform
from tests.memory.session import MemorySession
from tests.memory.tables import Tables

STEPS = (StateType.PENDING, StateType.RUNNING, StateType.COMPLETED)
RUNS = 1_000
ROUNDS = 9

Transition = Callable[[MemorySession, TaskRun, StateType], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds per transition, on the processor and by the clock."""

    cpu: float
    wall: float


class _NoPolicy(BaseOrchestrationPolicy):
    @staticmethod
    def priority() -> Sequence[RuleOrTransform]:
        return ()


async def _bare(session: MemorySession, run: TaskRun, step: StateType) -> None:
    state = State(type=step, timestamp=utc_now())
    run.state_type, run.state_name, run.state_timestamp = state.type, state.name, state.timestamp
    session.write_state(run, state)


def _governed(
    policy: type[BaseOrchestrationPolicy], global_policy: type[BaseOrchestrationPolicy]
) -> Transition:
    async def transition(session: MemorySession, run: TaskRun, step: StateType) -> None:
        now = utc_now()
        state = State(type=step, timestamp=now)
        context = TaskOrchestrationContext(session=session, run=run, proposed_state=state, now=now)
        await govern(context, policy, global_policy)

    return transition


LAYERS: Mapping[str, Transition] = {
    "bare": _bare,
    "engine": _governed(_NoPolicy, _NoPolicy),
    "transforms": _governed(_NoPolicy, GlobalTaskPolicy),
    "rules": _governed(CoreTaskPolicy, GlobalTaskPolicy),
}


async def measure(runs: int, rounds: int) -> Mapping[tuple[str, StateType], Cost]:
    """The median cost of each step in each layer."""
    samples: dict[tuple[str, StateType], list[Cost]] = {
        (layer, step): [] for step in STEPS for layer in LAYERS
    }
    for number in range(rounds + 1):
        for layer, transition in LAYERS.items():
            costs = await _round(transition, runs)
            if number:  # the first one pays for what is slow only once
                for step, cost in costs.items():
                    samples[layer, step].append(cost)
    return {
        place: Cost(median(cost.cpu for cost in costs), median(cost.wall for cost in costs))
        for place, costs in samples.items()
    }


async def _round(transition: Transition, runs: int) -> Mapping[StateType, Cost]:
    """Take new runs through all steps."""
    flow_run = FlowRun(id=uuid7(), run_count=1)
    task_runs = [TaskRun(id=uuid7(), flow_run_id=flow_run.id) for _ in range(runs)]
    session = MemorySession(Tables(runs={run.id: run for run in (flow_run, *task_runs)}))
    costs = {}
    for step in STEPS:
        gc.collect()
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        for run in task_runs:
            await transition(session, run, step)
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
        costs[step] = Cost(cpu / runs / 1_000, wall / runs / 1_000)
        refused = [run for run in task_runs if run.state is None or run.state.type is not step]
        if refused:
            raise RuntimeError(f"{len(refused)} runs did not become {step}")
    return costs


def main(runs: int = RUNS, rounds: int = ROUNDS) -> None:
    """Print the cost of each step by layer, and what the rules cost beside the bare step."""
    costs = asyncio.run(measure(runs, rounds))
    header = [f"{layer:>16}" for layer in LAYERS]
    lines = [
        "Microseconds of CPU (of wall time) per transition, in-memory session, Core policy",
        f"Medians of {rounds} rounds of {runs:,} runs; each layer with all before it",
        "".join([f"{'':<10}", *header, f"{'rules / bare':>14}"]),
    ]
    for step in STEPS:
        row = [costs[layer, step] for layer in LAYERS]
        shown = "".join(f"{f'{cost.cpu:.1f} ({cost.wall:.1f})':>16}" for cost in row)
        lines.append(f"{step:<10}{shown}{row[-1].cpu / row[0].cpu:>14.1f}")
    print("\n".join(lines))  # noqa: T201 - a benchmark's result
