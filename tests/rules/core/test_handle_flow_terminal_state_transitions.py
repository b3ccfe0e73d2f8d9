"""A flow run that has ended runs again only as a retry that somebody will start."""

import pytest

from rules import SetStateStatus, StateType
from rules.core.handle_flow_terminal_state_transitions import HandleFlowTerminalStateTransitions
from rules.rule import FINAL
from rules.states import AwaitingRetry, Late, Running, Scheduled, State
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

POLICY = policy_of(HandleFlowTerminalStateTransitions)


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_flow_run_that_ended_stays_so(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = world.flow_run(initial, deployment_id="nightly")
    context = await world.propose(run, proposed, POLICY)

    ended = initial in FINAL
    assert context.response_details.code == ("terminal" if ended else None)
    assert bool(context.rule_signature) == ended


@pytest.mark.parametrize("initial", sorted(FINAL, key=str))
async def test_a_deployed_one_may_await_a_retry(world: World, initial: StateType) -> None:
    run = world.flow_run(initial, deployment_id="nightly")
    context = await world.propose(run, AwaitingRetry(NOON), POLICY)

    assert context.response_status is SetStateStatus.ACCEPT
    assert (run.state_type, run.state_name) == (StateType.SCHEDULED, "AwaitingRetry")


@pytest.mark.parametrize("initial", sorted(FINAL, key=str))
async def test_one_without_a_deployment_may_not(world: World, initial: StateType) -> None:
    run = world.flow_run(initial)
    context = await world.propose(run, AwaitingRetry(NOON), POLICY)

    assert context.response_status is SetStateStatus.ABORT
    assert context.response_details.code == "no-deployment"


@pytest.mark.parametrize("proposed", [Late(NOON), Scheduled(NOON), Running(name="AwaitingRetry")])
async def test_only_a_scheduled_state_of_that_name_is_a_retry(
    world: World, proposed: State
) -> None:
    run = world.flow_run(StateType.FAILED, deployment_id="nightly")
    context = await world.propose(run, proposed, POLICY)

    assert context.response_details.code == "terminal"
