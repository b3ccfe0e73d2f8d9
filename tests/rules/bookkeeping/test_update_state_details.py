"""A state says whose it is."""

from rules import StateDetails, StateType
from rules.bookkeeping.update_state_details import UpdateStateDetails
from rules.identifiers import uuid7
from rules.states import Running
from tests.rules.world import NO_RULES, World, policy_of

POLICY = policy_of(UpdateStateDetails)


async def test_a_task_runs_state_names_it_and_its_flow_run(world: World) -> None:
    run = world.task_run(flow_run_id=uuid7())
    details = StateDetails(cache_key="key", flow_run_id=uuid7(), task_run_id=uuid7())
    await world.propose(run, Running(state_details=details), NO_RULES, POLICY)

    [written] = world.written(run)
    assert written.state_details == StateDetails(
        cache_key="key", flow_run_id=run.flow_run_id, task_run_id=run.id
    )


async def test_a_task_run_without_a_flow_run_names_none(world: World) -> None:
    run = world.task_run()
    await world.propose(run, StateType.RUNNING, NO_RULES, POLICY)

    assert world.written(run)[0].state_details == StateDetails(task_run_id=run.id)


async def test_a_flow_runs_state_names_it_and_no_task_run(world: World) -> None:
    run = world.flow_run()
    details = StateDetails(task_run_id=uuid7())
    proposed = Running(state_details=details)
    await world.propose(run, proposed, NO_RULES, POLICY)

    [written] = world.written(run)
    assert written.state_details == StateDetails(flow_run_id=run.id)
    assert written.id == proposed.id
