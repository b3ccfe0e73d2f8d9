"""When a run started, and when it ended."""

from datetime import timedelta

import pytest

from rules import StateType
from rules.bookkeeping.set_start_and_end_time import SetEndTime, SetStartTime
from rules.rule import FINAL
from rules.states import State
from tests.rules.world import EVERY_FROM, EVERY_TO, NO_RULES, NOON, World, policy_of

POLICY = policy_of(SetStartTime, SetEndTime)
EARLIER, LATER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_the_start_time_is_that_of_the_first_running_state(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    new, started = world.task_run(initial), world.task_run(initial, start_time=EARLIER)
    for run in (new, started):
        await world.propose(run, State(type=proposed, timestamp=LATER), NO_RULES, POLICY)

    assert new.start_time == (LATER if proposed is StateType.RUNNING else None)
    assert started.start_time == EARLIER


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_the_end_time_is_that_of_the_final_state(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = world.task_run(initial, start_time=EARLIER)
    await world.propose(run, State(type=proposed, timestamp=LATER), NO_RULES, POLICY)

    assert run.end_time == (LATER if proposed in FINAL else None)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_known_end_time_stays_until_the_run_goes_on(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = world.task_run(initial, start_time=EARLIER, end_time=NOON)
    await world.propose(run, State(type=proposed, timestamp=LATER), NO_RULES, POLICY)

    goes_on = initial in FINAL and proposed not in FINAL
    assert run.end_time == (None if goes_on else NOON)


async def test_a_run_that_never_started_has_no_end_time(world: World) -> None:
    run = world.task_run(StateType.PENDING)
    await world.propose(run, StateType.CANCELLED, NO_RULES, POLICY)

    assert run.end_time is None
