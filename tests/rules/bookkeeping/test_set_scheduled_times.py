"""When a run was to start at first, and when it is to start next."""

from datetime import timedelta

import pytest

from rules import StateType
from rules.bookkeeping.set_scheduled_times import SetExpectedStartTime, SetNextScheduledStartTime
from rules.states import Scheduled, State
from tests.rules.world import EVERY_FROM, EVERY_TO, NO_RULES, NOON, World, policy_of

POLICY = policy_of(SetExpectedStartTime, SetNextScheduledStartTime)
DUE, STAMPED = NOON + timedelta(hours=1), NOON + timedelta(minutes=1)


def proposed_as(state_type: StateType) -> State:
    if state_type is StateType.SCHEDULED:
        return Scheduled(DUE, timestamp=STAMPED)
    return State(type=state_type, timestamp=STAMPED)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_the_expected_start_time_is_set_once(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    new, known = world.task_run(initial), world.task_run(initial, expected_start_time=NOON)
    for run in (new, known):
        await world.propose(run, proposed_as(proposed), NO_RULES, POLICY)

    assert new.expected_start_time == (DUE if proposed is StateType.SCHEDULED else STAMPED)
    assert known.expected_start_time == NOON


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_the_next_scheduled_start_time_stands_while_the_run_is_scheduled(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    scheduled = initial is StateType.SCHEDULED
    run = world.task_run(initial, next_scheduled_start_time=NOON if scheduled else None)
    await world.propose(run, proposed_as(proposed), NO_RULES, POLICY)

    assert run.next_scheduled_start_time == (DUE if proposed is StateType.SCHEDULED else None)
