"""Contexts: what they tell of a proposal, and what a copy shares."""

from typing import Any

from rules import RunPolicy, StateType
from rules.identifiers import uuid7
from rules.states import Pending, Running
from tests.rules.world import NO_RULES, World


async def test_a_context_begins_with_the_runs_own_state(world: World) -> None:
    pending, running = Pending(), Running()
    context = world.context(world.task_run(pending), running)

    assert context.initial_state is pending
    assert context.initial_state_type is StateType.PENDING
    assert context.proposed_state_type is StateType.RUNNING
    assert (context.validated_state, context.validated_state_type) == (None, None)
    assert not context.is_validated


async def test_a_run_without_state_and_an_empty_proposal_have_no_types(world: World) -> None:
    context = world.context(world.task_run(), None)

    assert context.initial_state_type is context.proposed_state_type is None


async def test_the_initial_state_stays_when_the_run_has_moved_on(world: World) -> None:
    pending = Pending()
    context = await world.propose(world.task_run(pending), StateType.RUNNING, NO_RULES)

    assert context.initial_state is pending
    assert context.validated_state_type is StateType.RUNNING


async def test_a_task_context_knows_its_runs(world: World) -> None:
    flow_run = world.flow_run()
    run = world.task_run(flow_run_id=flow_run.id, policy=RunPolicy(retries=3))
    context = world.context(run, None)

    assert await context.flow_run() is flow_run
    assert await context.task_run() is run
    assert context.run_settings.retries == 3


async def test_a_task_run_may_have_no_flow_run_or_one_that_is_unknown(world: World) -> None:
    for run in (world.task_run(), world.task_run(flow_run_id=uuid7())):
        assert await world.context(run, None).flow_run() is None


async def test_a_flow_context_knows_its_run(world: World) -> None:
    run = world.flow_run(policy=RunPolicy(retry_delay=1.5))
    context = world.context(run, None)

    assert await context.flow_run() is run
    assert await context.task_run() is None
    assert context.run_settings.retry_delay == 1.5


async def test_a_safe_copy_shares_only_what_hooks_act_on_or_cannot_change(world: World) -> None:
    opaque = object()
    parameters: dict[str, Any] = {"opaque": opaque, "list": [{"a": 1}]}
    context = world.context(
        world.task_run(StateType.PENDING), StateType.RUNNING, parameters=parameters
    )
    copied = context.safe_copy()

    assert copied is not context
    assert copied == context
    assert copied.run is context.run
    assert copied.session is context.session
    assert copied.parameters["opaque"] is opaque
    assert copied.parameters["list"][0] is not parameters["list"][0]
    assert copied.also_changed is not context.also_changed
    assert copied.rule_signature is not context.rule_signature
    assert copied.finalization_signature is not context.finalization_signature
