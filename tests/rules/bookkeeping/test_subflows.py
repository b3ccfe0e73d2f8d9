"""A subflow's run and the task run that stands for it in its parent go the same way."""

from datetime import timedelta
from typing import Any

import pytest

from rules import FlowRun, RunPolicy, SetStateStatus, StateDetails, StateType, TaskRun
from rules.identifiers import uuid7
from rules.policies import CoreFlowPolicy, CoreTaskPolicy, GlobalFlowPolicy
from rules.rule import FINAL
from rules.states import AwaitingRetry, Completed, Running, Scheduled
from tests.rules.world import EVERY_TO, NO_RULES, NOON, World, described


def subflow(world: World, **fields: Any) -> tuple[FlowRun, TaskRun]:
    parent_flow = world.flow_run(StateType.RUNNING)
    parent = world.task_run(flow_run_id=parent_flow.id)
    return world.flow_run(parent_task_run_id=parent.id, **fields), parent


@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_the_parent_is_forced_into_the_state_of_its_subflow(
    world: World, proposed: StateType
) -> None:
    run, parent = subflow(world)
    context = await world.propose(run, proposed, NO_RULES)

    assert context.also_changed == [parent]
    assert (parent.state_type, parent.state_name) == (run.state_type, run.state_name)
    assert (parent.run_count, parent.start_time) == (run.run_count, run.start_time)
    assert parent.version == 1


async def test_the_parents_state_repeats_the_subflows_and_names_it(world: World) -> None:
    run, parent = subflow(world)
    details = StateDetails(cache_key="key", untrackable_result=True)
    proposed = Completed(
        name="Done", timestamp=NOON, message="fine", data={"rows": 3}, state_details=details
    )
    await world.propose(run, proposed, NO_RULES)

    [written], [repeated] = world.written(run), world.written(parent)
    assert written.state_details == StateDetails(
        cache_key="key", untrackable_result=True, flow_run_id=run.id, task_run_id=parent.id
    )
    assert repeated.id != written.id
    assert repeated == written.revised(
        id=repeated.id,
        state_details=StateDetails(
            cache_key="key",
            untrackable_result=True,
            flow_run_id=parent.flow_run_id,
            task_run_id=parent.id,
            child_flow_run_id=run.id,
        ),
    )
    assert world.artifacts(parent) == [{"rows": 3}]


async def test_the_parent_follows_what_was_decided_not_what_was_proposed(world: World) -> None:
    run, parent = subflow(world, policy=RunPolicy(retries=1))
    await world.propose(run, Running(timestamp=NOON), CoreFlowPolicy)
    context = await world.propose(run, StateType.FAILED, CoreFlowPolicy)

    assert context.response_details.code == "retry"
    assert (parent.state_type, parent.state_name) == (StateType.SCHEDULED, "AwaitingRetry")


async def test_the_parent_is_forced_whatever_its_own_rules_say(world: World) -> None:
    run, parent = subflow(world)
    await world.propose(parent, StateType.COMPLETED, CoreTaskPolicy)
    context = await world.propose(run, StateType.PENDING, CoreFlowPolicy)

    assert context.response_status is SetStateStatus.ACCEPT
    assert parent.state_type is StateType.PENDING


async def test_a_delayed_or_aborted_subflow_leaves_its_parent_alone(world: World) -> None:
    run, parent = subflow(world)
    await world.propose(run, Scheduled(NOON + timedelta(hours=1)), CoreFlowPolicy)
    before = described(parent)
    delayed = await world.propose(run, StateType.RUNNING, CoreFlowPolicy)

    assert delayed.response_status is SetStateStatus.WAIT
    assert delayed.also_changed == []
    assert described(parent) == before


async def test_a_flow_run_of_its_own_has_no_parent_to_change(world: World) -> None:
    run = world.flow_run()
    context = await world.propose(run, StateType.RUNNING, NO_RULES)

    assert context.also_changed == []
    assert world.written(run)[0].state_details == StateDetails(flow_run_id=run.id)


async def test_an_unknown_parent_holds_nothing_up(world: World) -> None:
    run = world.flow_run(parent_task_run_id=uuid7())
    context = await world.propose(run, StateType.RUNNING, NO_RULES)

    assert context.response_status is SetStateStatus.ACCEPT
    assert context.also_changed == []


async def test_a_parent_that_leaves_running_gives_its_slots_back(world: World) -> None:
    run, parent = subflow(world)
    parent.tags = ("db",)
    world.tables.limits["db"] = 1
    await world.propose(parent, StateType.RUNNING, CoreTaskPolicy)
    assert world.held(parent) == {"db"}
    await world.propose(run, StateType.RUNNING, CoreFlowPolicy)
    assert world.held(parent) == {"db"}
    await world.propose(run, StateType.COMPLETED, CoreFlowPolicy)

    assert parent.state_type in FINAL
    assert world.held(parent) == set()


async def test_a_retried_subflow_lets_its_parent_go_on(world: World) -> None:
    run, parent = subflow(world, deployment_id="nightly")
    for proposed in (StateType.RUNNING, StateType.FAILED, AwaitingRetry(NOON), StateType.RUNNING):
        await world.propose(run, proposed, CoreFlowPolicy, GlobalFlowPolicy)

    assert parent.state_type is StateType.RUNNING
    assert (parent.run_count, parent.end_time) == (2, None)
