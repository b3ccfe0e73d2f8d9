"""A task run that has ended runs again only in a new run of its flow."""

from typing import Any

import pytest

from rules import SetStateStatus, StateType
from rules.core.handle_task_terminal_state_transitions import HandleTaskTerminalStateTransitions
from rules.rule import FINAL
from rules.states import Cancelled
from tests.rules.recording import Hooks, Recorder, rejecting
from tests.rules.world import EVERY_FROM, EVERY_TO, World, policy_of

POLICY = policy_of(HandleTaskTerminalStateTransitions)
UNSUCCESSFUL = (StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_run_that_ended_may_only_run_again_where_its_flow_run_does(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    flow_run = world.flow_run(StateType.RUNNING, run_count=2)
    run = world.task_run(initial, flow_run_id=flow_run.id, flow_run_run_count=1, run_count=4)
    context = await world.propose(run, proposed, POLICY)

    again = proposed is StateType.RUNNING and initial in UNSUCCESSFUL
    aborted = initial in FINAL and not again
    assert context.response_details.code == ("terminal" if aborted else None)
    assert bool(context.rule_signature) == (initial in FINAL)
    if again:
        assert run.state_name == "Retrying"
        assert run.run_count == 1
        assert context.response_status is SetStateStatus.ACCEPT


@pytest.mark.parametrize("initial", UNSUCCESSFUL)
@pytest.mark.parametrize("flow_run_count", [0, 1, 2])
async def test_it_may_not_run_again_in_the_same_run_of_its_flow(
    world: World, initial: StateType, flow_run_count: int
) -> None:
    flow_run = world.flow_run(StateType.RUNNING, run_count=flow_run_count)
    run = world.task_run(initial, flow_run_id=flow_run.id, flow_run_run_count=2, run_count=4)
    context = await world.propose(run, StateType.RUNNING, POLICY)

    assert context.response_details.code == "terminal"
    assert run.run_count == 4
    assert world.written(run) == []


async def test_a_task_run_without_a_flow_run_may_not_run_again(world: World) -> None:
    run = world.task_run(StateType.FAILED)
    context = await world.propose(run, StateType.RUNNING, POLICY)

    assert context.response_details.code == "terminal"


def failed_run(world: World) -> Any:
    flow_run = world.flow_run(StateType.RUNNING, run_count=2)
    return world.task_run(
        StateType.FAILED, flow_run_id=flow_run.id, flow_run_run_count=1, run_count=4
    )


async def test_the_run_count_comes_back_where_another_rule_replaced_the_proposal(
    world: World,
) -> None:
    run = failed_run(world)
    replacing = Recorder().rule("Rejecting", Hooks(before=rejecting(Cancelled())))
    await world.propose(
        run, StateType.RUNNING, policy_of(HandleTaskTerminalStateTransitions, replacing)
    )

    assert run.state_type is StateType.CANCELLED
    assert run.run_count == 4


async def test_cleanup_leaves_a_run_count_that_it_did_not_change(world: World) -> None:
    run = world.task_run(StateType.FAILED, run_count=4)
    context: Any = world.context(run, StateType.RUNNING)
    async with HandleTaskTerminalStateTransitions(context, StateType.FAILED, StateType.RUNNING):
        context.proposed_state = Cancelled()
        run.run_count = 7

    assert run.run_count == 7
