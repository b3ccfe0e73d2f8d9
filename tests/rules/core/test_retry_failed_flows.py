"""A flow run that failed is tried again, with its failed task runs where the client is old."""

from datetime import timedelta
from typing import Any

import pytest

from rules import FlowRun, RunPolicy, SetStateStatus, StateType, TaskRun
from rules.core.retry_failed_flows import RetryFailedFlows
from rules.states import Cancelled, Failed
from tests.rules.recording import Hooks, Recorder
from tests.rules.world import NOON, World, described, policy_of

POLICY = policy_of(RetryFailedFlows)
HOUR = timedelta(hours=1)


def running_flow(world: World, *, retries: int = 1) -> FlowRun:
    policy = RunPolicy(retries=retries, retry_delay=3600)
    return world.flow_run(StateType.RUNNING, policy=policy, run_count=1)


def tasks_of(world: World, flow_run: FlowRun) -> list[TaskRun]:
    states = (StateType.FAILED, StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
    return [
        world.task_run(state, flow_run_id=flow_run.id, run_count=2, end_time=NOON)
        for state in states
    ]


async def test_it_is_retried_after_its_delay(world: World) -> None:
    run = running_flow(world)
    context = await world.propose(run, Failed(message="oh"), POLICY)

    assert context.response_status is SetStateStatus.REJECT
    assert context.response_details.code == "retry"
    assert (run.state_name, run.next_scheduled_start_time) == ("AwaitingRetry", NOON + HOUR)
    assert world.written(run)[0].message == "oh"


async def test_it_is_not_retried_once_its_retries_are_used_up(world: World) -> None:
    run = running_flow(world, retries=0)
    context = await world.propose(run, Failed(), POLICY, parameters={"api-version": "0.8.0"})

    assert context.response_status is SetStateStatus.ACCEPT
    assert context.also_changed == []


@pytest.mark.parametrize("version", ["0.8.2", "0.8", "0.7.11", "0.8.2b1", "0"])
async def test_for_an_old_client_failed_task_runs_await_the_retry_too(
    world: World, version: str
) -> None:
    flow_run = running_flow(world)
    first, completed, second, crashed = tasks_of(world, flow_run)
    untouched = described(completed), described(crashed)
    context = await world.propose(flow_run, Failed(), POLICY, parameters={"api-version": version})

    assert context.also_changed == sorted([first, second], key=lambda run: run.id)
    assert (described(completed), described(crashed)) == untouched
    for run in (first, second):
        assert (run.state_type, run.state_name) == (StateType.SCHEDULED, "AwaitingRetry")
        assert run.next_scheduled_start_time == flow_run.next_scheduled_start_time
        assert (run.run_count, run.end_time, run.version) == (0, None, 1)
        assert len(world.written(run)) == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"api-version": None},
        {"api-version": "0.8.3"},
        {"api-version": "0.8.10"},
        {"api-version": "1"},
        {"api-version": "latest"},
        {"api-version": 0.7},
    ],
)
async def test_for_other_clients_task_runs_are_left_alone(
    world: World, parameters: dict[str, Any]
) -> None:
    flow_run = running_flow(world)
    tasks = tasks_of(world, flow_run)
    before = [described(run) for run in tasks]
    context = await world.propose(flow_run, Failed(), POLICY, parameters=parameters)

    assert context.response_details.code == "retry"
    assert [described(run) for run in tasks] == before
    assert context.also_changed == []


async def test_task_runs_are_left_alone_where_something_else_came_of_the_retry(
    world: World,
) -> None:
    async def replace(transform: Any) -> None:
        transform.context.proposed_state = Cancelled()

    flow_run = running_flow(world)
    tasks = tasks_of(world, flow_run)
    before = [described(run) for run in tasks]
    policy = policy_of(RetryFailedFlows, Recorder().transform("T", Hooks(before=replace)))
    await world.propose(flow_run, Failed(), policy, parameters={"api-version": "0.8.0"})

    assert flow_run.state_type is StateType.CANCELLED
    assert [described(run) for run in tasks] == before
