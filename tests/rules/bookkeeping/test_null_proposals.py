"""No bookkeeping is done where a rule took the proposal away."""

import pytest

from rules import StateType
from rules.policies import GlobalFlowPolicy
from tests.rules.recording import Hooks, Recorder, rejecting
from tests.rules.world import EVERY_FROM, EVERY_TO, World, described, policy_of


@pytest.mark.parametrize("initial", [state for state in EVERY_FROM if state is not None])
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_no_transform_changes_anything(
    world: World, initial: StateType, proposed: StateType
) -> None:
    parent = world.task_run()
    run = world.flow_run(initial, parent_task_run_id=parent.id)
    before = described(run), described(parent)
    replacing = policy_of(Recorder().rule("Rejecting", Hooks(before=rejecting(None))))
    context = await world.propose(run, proposed, replacing, GlobalFlowPolicy)

    assert (described(run), described(parent)) == before
    assert context.also_changed == []
