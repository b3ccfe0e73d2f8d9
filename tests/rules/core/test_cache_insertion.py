"""What may be used again is remembered."""

from datetime import timedelta

import pytest

from rules import StateDetails, StateType
from rules.core.cache_insertion import CacheInsertion
from rules.policies import CoreTaskPolicy, MinimalTaskPolicy
from rules.states import Completed, Failed, Running, State
from tests.memory.tables import CachedState
from tests.rules.recording import Hooks, Recorder, rejecting
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

POLICY = policy_of(CacheInsertion)
KEYED = StateDetails(cache_key="key", cache_expiration=NOON + timedelta(hours=1))


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_completed_state_with_a_key_is_remembered(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = world.task_run(initial)
    await world.propose(run, State(type=proposed, state_details=KEYED), POLICY)

    [written] = world.written(run)
    remembered = [CachedState("key", written, NOON + timedelta(hours=1))]
    assert world.tables.cached_states == (remembered if written.is_completed() else [])


@pytest.mark.parametrize("cache_key", [None, ""])
async def test_a_state_without_a_key_is_not(world: World, cache_key: str | None) -> None:
    proposed = Completed(state_details=StateDetails(cache_key=cache_key))
    await world.propose(world.task_run(), proposed, POLICY)

    assert world.tables.cached_states == []


async def test_a_forced_completion_is_not(world: World) -> None:
    run = world.task_run(StateType.RUNNING)
    await world.propose(run, Completed(state_details=KEYED), MinimalTaskPolicy)

    assert world.tables.cached_states == []


async def test_a_completion_that_was_replaced_is_not(world: World) -> None:
    replacing = Recorder().rule("Rejecting", Hooks(before=rejecting(Failed(state_details=KEYED))))
    policy = policy_of(CacheInsertion, replacing)
    await world.propose(world.task_run(), Completed(state_details=KEYED), policy)

    assert world.tables.cached_states == []


async def test_a_state_taken_from_the_cache_is_not_remembered_again(world: World) -> None:
    world.session.remember_state("key", Completed(state_details=KEYED), None)
    await world.propose(world.task_run(), Running(state_details=KEYED), CoreTaskPolicy)

    assert len(world.tables.cached_states) == 1
