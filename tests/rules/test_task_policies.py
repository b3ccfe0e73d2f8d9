"""A task run goes its whole way by the Core policy, with a flow run and without one."""

import pytest

from rules import RunPolicy, SetStateStatus, StateType
from rules.policies import CoreTaskPolicy
from tests.rules.world import World

WAY = (
    (StateType.SCHEDULED, "Scheduled", 0),
    (StateType.PENDING, "Pending", 0),
    (StateType.RUNNING, "Running", 1),
    (StateType.FAILED, "AwaitingRetry", 1),
    (StateType.RUNNING, "Retrying", 2),
    (StateType.COMPLETED, "Completed", 2),
)


@pytest.mark.parametrize("with_flow_run", [True, False])
async def test_a_task_run_needs_no_flow_run(world: World, *, with_flow_run: bool) -> None:
    world.tables.limits["db"] = 1
    flow_run = world.flow_run(StateType.RUNNING, run_count=3) if with_flow_run else None
    flow_run_id = flow_run.id if flow_run else None
    run = world.task_run(flow_run_id=flow_run_id, tags=("db",), policy=RunPolicy(retries=1))

    for proposed, name, run_count in WAY:
        context = await world.propose(run, proposed, CoreTaskPolicy)

        assert context.orchestration_error is None
        assert (run.state_name, run.run_count) == (name, run_count)
        assert world.held(run) == ({"db"} if run.state_type is StateType.RUNNING else set())
        state = world.written(run)[-1]
        assert state.state_details.flow_run_id == flow_run_id
        assert state.state_details.task_run_id == run.id
    assert run.flow_run_run_count == (3 if with_flow_run else 0)

    again = await world.propose(run, StateType.RUNNING, CoreTaskPolicy)
    assert again.response_status is SetStateStatus.ABORT
