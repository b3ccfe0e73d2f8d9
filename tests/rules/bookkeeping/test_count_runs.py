"""How often a run ran, and for how long."""

from datetime import timedelta

import pytest

from rules import StateType
from rules.bookkeeping.count_runs import IncrementRunCount, IncrementRunTime
from rules.states import Running, State
from tests.rules.world import EVERY_FROM, EVERY_TO, NO_RULES, NOON, World, policy_of

POLICY = policy_of(IncrementRunTime, IncrementRunCount)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_time_is_counted_when_running_is_left_and_runs_when_it_is_entered(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = world.task_run(initial, total_run_time=1.5, run_count=2)
    later = State(type=proposed, timestamp=NOON + timedelta(seconds=60.25))
    await world.propose(run, later, NO_RULES, POLICY)

    assert run.total_run_time == (61.75 if initial is StateType.RUNNING else 1.5)
    assert run.run_count == (3 if proposed is StateType.RUNNING else 2)


async def test_a_negative_span_counts_nothing(world: World) -> None:
    run = world.task_run(Running(timestamp=NOON), total_run_time=1.5)
    earlier = State(type=StateType.COMPLETED, timestamp=NOON - timedelta(seconds=1))
    await world.propose(run, earlier, NO_RULES, POLICY)

    assert run.total_run_time == 1.5
