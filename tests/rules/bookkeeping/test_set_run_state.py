"""The run repeats what state it is in."""

from datetime import timedelta
from typing import Any

import pytest

from rules import StateType
from rules.bookkeeping.set_run_state import SetRunStateName, SetRunStateTimestamp, SetRunStateType
from rules.states import Running
from tests.rules.world import NO_RULES, NOON, World, described, policy_of

LATER = NOON + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("transform", "attribute", "value"),
    [
        (SetRunStateType, "state_type", StateType.RUNNING),
        (SetRunStateName, "state_name", "Custom"),
        (SetRunStateTimestamp, "state_timestamp", LATER),
    ],
)
async def test_each_copies_one_thing_from_the_proposed_state(
    world: World, transform: Any, attribute: str, value: object
) -> None:
    proposed = Running(name="Custom", timestamp=LATER)
    for run in (world.task_run(StateType.PENDING), world.flow_run(StateType.PENDING)):
        before = described(run)
        await world.propose(run, proposed, NO_RULES, policy_of(transform))

        assert described(run) == {**before, attribute: value, "state": proposed, "version": 1}
