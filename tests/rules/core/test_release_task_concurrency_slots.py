"""A task run that no longer runs holds no slot."""

from typing import Any

import pytest

from rules import BaseOrchestrationPolicy, RunPolicy, StateType, TaskRun
from rules.core.release_task_concurrency_slots import ReleaseTaskConcurrencySlots
from rules.policies import CoreTaskPolicy, MinimalTaskPolicy
from tests.rules.recording import Hooks, Recorder, rejecting
from tests.rules.world import EVERY_FROM, EVERY_TO, World, policy_of

POLICY = policy_of(ReleaseTaskConcurrencySlots)
KEEPS = (StateType.RUNNING, StateType.CANCELLING)


def holder(world: World, state: StateType | None = StateType.RUNNING, **described: Any) -> TaskRun:
    world.tables.limits.update({"db": 1, "gpu": 1})
    run = world.task_run(state, tags=("db", "gpu"), **described)
    world.session.take_slots(run.id, ["db", "gpu"])
    return run


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_slots_are_kept_only_while_the_run_runs_or_is_cancelling(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = holder(world, initial)
    await world.propose(run, proposed, POLICY)

    assert world.held(run) == ({"db", "gpu"} if proposed in KEEPS else set())


@pytest.mark.parametrize("policy", [CoreTaskPolicy, MinimalTaskPolicy])
@pytest.mark.parametrize("proposed", [state for state in EVERY_TO if state not in KEEPS])
async def test_a_run_that_left_running_holds_none(
    world: World, policy: type[BaseOrchestrationPolicy], proposed: StateType
) -> None:
    run = holder(world)
    context = await world.propose(run, proposed, policy)

    left = context.written_state is not None
    assert world.held(run) == (set() if left else {"db", "gpu"})


async def test_a_retry_frees_the_slots(world: World) -> None:
    run = holder(world, policy=RunPolicy(retries=1), run_count=1)
    context = await world.propose(run, StateType.FAILED, CoreTaskPolicy)

    assert context.response_details.code == "retry"
    assert world.held(run) == set()


async def test_a_cancelling_run_gives_them_back_when_it_has_ended(world: World) -> None:
    run = holder(world)
    await world.propose(run, StateType.CANCELLING, CoreTaskPolicy)
    assert world.held(run) == {"db", "gpu"}
    await world.propose(run, StateType.CANCELLED, CoreTaskPolicy)

    assert world.held(run) == set()


async def test_slots_of_tags_whose_limit_is_gone_are_given_back_too(world: World) -> None:
    run = holder(world)
    world.tables.limits.clear()
    await world.propose(run, StateType.COMPLETED, CoreTaskPolicy)

    assert world.held(run) == set()


async def test_others_keep_theirs(world: World) -> None:
    run, other = holder(world), holder(world)
    await world.propose(run, StateType.COMPLETED, CoreTaskPolicy)

    assert world.held(other) == {"db", "gpu"}


@pytest.mark.parametrize("initial", [StateType.RUNNING, StateType.PENDING])
async def test_where_nothing_came_of_the_proposal_nothing_is_given_back(
    world: World, initial: StateType
) -> None:
    run = holder(world, initial)
    replacing = Recorder().rule("Rejecting", Hooks(before=rejecting(None)))
    policy = policy_of(replacing, ReleaseTaskConcurrencySlots)
    await world.propose(run, StateType.COMPLETED, policy)

    assert world.held(run) == {"db", "gpu"}


async def test_a_run_forced_from_running_to_running_keeps_them(world: World) -> None:
    run = holder(world)
    await world.propose(run, StateType.RUNNING, MinimalTaskPolicy)

    assert world.held(run) == {"db", "gpu"}
