"""A task run knows in which run of its flow it ran last."""

import pytest

from rules import StateType
from rules.core.update_flow_run_tracker_on_tasks import UpdateFlowRunTrackerOnTasks
from rules.identifiers import uuid7
from tests.rules.world import EVERY_FROM, EVERY_TO, World, policy_of

POLICY = policy_of(UpdateFlowRunTrackerOnTasks)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_task_run_that_starts_takes_its_flow_runs_count(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    flow_run = world.flow_run(run_count=3)
    run = world.task_run(initial, flow_run_id=flow_run.id, flow_run_run_count=1)
    await world.propose(run, proposed, POLICY)

    assert run.flow_run_run_count == (3 if proposed is StateType.RUNNING else 1)


async def test_a_task_run_without_a_flow_run_has_nothing_to_track(world: World) -> None:
    run = world.task_run()
    context = await world.propose(run, StateType.RUNNING, POLICY)

    assert context.orchestration_error is None
    assert run.flow_run_run_count == 0


async def test_nor_has_one_whose_flow_run_is_unknown(world: World) -> None:
    run = world.task_run(flow_run_id=uuid7(), flow_run_run_count=2)
    await world.propose(run, StateType.RUNNING, POLICY)

    assert run.flow_run_run_count == 2
