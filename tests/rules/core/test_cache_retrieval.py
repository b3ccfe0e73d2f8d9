"""Work that was done before is not done again."""

from datetime import timedelta

import pytest

from rules import SetStateStatus, StateDetails, StateType
from rules.core.cache_retrieval import CacheRetrieval
from rules.policies import CoreTaskPolicy, MinimalTaskPolicy
from rules.responses import StateRejectDetails
from rules.states import Completed, Pending, Running, State
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, SECOND, World, policy_of

POLICY = policy_of(CacheRetrieval)
KEYED = StateDetails(cache_key="key")


def remembered(world: World, **fields: object) -> State:
    state = Completed(timestamp=NOON - timedelta(days=1), state_details=KEYED, **fields)
    world.session.remember_state("key", state, None)
    return state


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_running_with_a_known_key_is_rejected_from_any_state(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    remembered(world)
    run = world.task_run(initial)
    context = await world.propose(run, State(type=proposed, state_details=KEYED), POLICY)

    cached = proposed is StateType.RUNNING
    assert context.response_details.code == ("cached" if cached else None)
    assert run.state_name == ("Cached" if cached else proposed.default_name)


async def test_the_run_gets_a_copy_of_the_remembered_state(world: World) -> None:
    state = remembered(world, data={"rows": 3}, message="all went well", name="Done")
    run = world.task_run(Pending())
    proposed = Running(timestamp=NOON, state_details=KEYED)
    context = await world.propose(run, proposed, POLICY)

    [written] = world.written(run)
    assert written.id not in (state.id, proposed.id)
    assert (written.type, written.name) == (StateType.COMPLETED, "Cached")
    assert (written.timestamp, written.message) == (NOON, "all went well")
    assert written.data == {"rows": 3}
    assert written.state_details == StateDetails(cache_key="key", task_run_id=run.id)
    assert context.response_status is SetStateStatus.REJECT
    assert context.response_details == StateRejectDetails(
        "The result remembered under the cache key 'key' is used again.", "cached"
    )


async def test_the_newest_that_has_not_expired_wins(world: World) -> None:
    for number, expiration in enumerate([None, NOON + SECOND, NOON, NOON - SECOND]):
        world.session.remember_state("key", Completed(data=number), expiration)
    run = world.task_run()
    await world.propose(run, Running(state_details=KEYED), POLICY)

    assert run.state is not None
    assert run.state.data == 1


@pytest.mark.parametrize("cache_key", [None, "", "other"])
async def test_without_a_known_key_the_run_runs(world: World, cache_key: str | None) -> None:
    remembered(world)
    run = world.task_run()
    proposed = Running(state_details=StateDetails(cache_key=cache_key))
    context = await world.propose(run, proposed, POLICY)

    assert context.response_status is SetStateStatus.ACCEPT
    assert run.state_name == "Running"


async def test_even_a_run_that_ended_is_completed_from_the_cache(world: World) -> None:
    remembered(world)
    run = world.task_run(StateType.CANCELLED)
    context = await world.propose(run, Running(state_details=KEYED), CoreTaskPolicy)

    assert context.response_details.code == "cached"
    assert run.state_type is StateType.COMPLETED


async def test_a_cached_run_takes_no_slot_and_is_not_counted(world: World) -> None:
    remembered(world)
    world.tables.limits["shut"] = 0
    run = world.task_run(tags=("shut",))
    await world.propose(run, Running(state_details=KEYED), CoreTaskPolicy)

    assert (run.state_name, run.run_count, world.held(run)) == ("Cached", 0, set())


async def test_a_forced_run_runs_whatever_is_cached(world: World) -> None:
    remembered(world)
    run = world.task_run()
    await world.propose(run, Running(state_details=KEYED), MinimalTaskPolicy)

    assert run.state_type is StateType.RUNNING
