"""A run that runs again says so by the name of its state."""

import pytest

from rules import State, StateType
from rules.core.rename_reruns import RenameReruns
from rules.states import AwaitingRetry, Late, Pending, Running
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

POLICY = policy_of(RenameReruns)


@pytest.mark.parametrize(
    ("initial", "run_count", "name"),
    [
        (AwaitingRetry(NOON), 1, "Retrying"),
        (Late(NOON), 1, "Rerunning"),
        (Pending(), 2, "Rerunning"),
        (None, 1, "Rerunning"),
        (AwaitingRetry(NOON), 0, "Running"),
        (Pending(), 0, "Running"),
    ],
)
async def test_a_rerun_is_named_by_where_it_comes_from(
    world: World, initial: State | None, run_count: int, name: str
) -> None:
    run = world.task_run(initial, run_count=run_count)
    context = await world.propose(run, StateType.RUNNING, POLICY)

    assert run.state_name == name
    assert context.response_details.code is None
    assert context.decided_by is None


async def test_a_first_run_keeps_the_name_that_was_proposed(world: World) -> None:
    run = world.task_run(StateType.PENDING)
    await world.propose(run, Running(name="Custom"), POLICY)

    assert run.state_name == "Custom"


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_it_is_entered_for_running_from_any_state(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    context = await world.propose(world.task_run(initial), proposed, POLICY)

    assert bool(context.rule_signature) == (proposed is StateType.RUNNING)
