"""A run makes no step back and none on the spot."""

import pytest

from rules import SetStateStatus, StateType
from rules.core.prevent_redundant_transitions import PreventRedundantTransitions
from rules.responses import StateAbortDetails
from tests.rules.world import EVERY_FROM, EVERY_TO, World, policy_of

POLICY = policy_of(PreventRedundantTransitions)
PROGRESS = (None, StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_only_a_step_forward_is_let_through(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    context = await world.propose(world.task_run(initial), proposed, POLICY)

    in_table = initial in PROGRESS and proposed in PROGRESS
    redundant = in_table and PROGRESS.index(proposed) <= PROGRESS.index(initial)
    assert (context.response_status is SetStateStatus.ABORT) == redundant
    assert context.response_details.code == ("redundant" if redundant else None)
    assert context.rule_signature == (["PreventRedundantTransitions"] if in_table else [])


async def test_it_holds_for_flow_runs_too(world: World) -> None:
    context = await world.propose(world.flow_run(StateType.RUNNING), StateType.PENDING, POLICY)

    assert context.response_details == StateAbortDetails(
        "The run is RUNNING already; PENDING would be no step forward.", "redundant"
    )
