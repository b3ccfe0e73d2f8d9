"""Of the task runs with a limited tag, only so many run at a time."""

from datetime import timedelta

import pytest

from rules import OrchestrationSettings, SetStateStatus, StateType, TaskRun
from rules.core.secure_task_concurrency_slots import SecureTaskConcurrencySlots
from rules.policies import CoreTaskPolicy, MinimalTaskPolicy
from rules.responses import StateAbortDetails, StateWaitDetails
from rules.states import Cancelled, Scheduled
from tests.rules.recording import Hook, Hooks, Recorder, rejecting
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

POLICY = policy_of(SecureTaskConcurrencySlots)
RUNNING = StateType.RUNNING


def holder_of(world: World, *tags: str) -> TaskRun:
    run = world.task_run(RUNNING, tags=tags)
    world.session.take_slots(run.id, tags)
    return run


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_slot_is_taken_for_running_from_any_state(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    world.tables.limits["db"] = 1
    run = world.task_run(initial, tags=("db",))
    await world.propose(run, proposed, POLICY)

    assert world.held(run) == ({"db"} if proposed is RUNNING else set())


async def test_tags_without_a_limit_need_no_slot(world: World) -> None:
    world.tables.limits["db"] = 1
    run = world.task_run(tags=("free", "db", "open"))
    context = await world.propose(run, RUNNING, POLICY)

    assert context.response_status is SetStateStatus.ACCEPT
    assert world.held(run) == {"db"}


async def test_a_limit_of_zero_aborts(world: World) -> None:
    world.tables.limits.update({"shut": 0, "db": 1})
    run = world.task_run(tags=("db", "shut"))
    context = await world.propose(run, RUNNING, POLICY)

    assert context.response_details == StateAbortDetails(
        "No task run may run with the tag 'shut' (limit 0).", "limit-zero"
    )
    assert world.held(run) == set()


async def test_a_limit_of_zero_aborts_even_where_another_tag_is_full(world: World) -> None:
    world.tables.limits.update({"a-full": 1, "shut": 0})
    holder_of(world, "a-full")
    run = world.task_run(tags=("a-full", "shut"))
    context = await world.propose(run, RUNNING, POLICY)

    assert context.response_details.code == "limit-zero"


async def test_a_full_tag_delays_by_the_setting(world: World) -> None:
    world.tables.limits["db"] = 2
    holder_of(world, "db")
    holder_of(world, "db")
    run = world.task_run(tags=("db",))
    usual = await world.propose(run, RUNNING, POLICY)
    settings = OrchestrationSettings(slot_delay_seconds=7)
    changed = await world.propose(run, RUNNING, POLICY, settings=settings)

    reason = "All slots of the tag 'db' (limit 2) are taken; to be asked again in {} s."
    assert usual.response_details == StateWaitDetails(30, reason.format(30), "limit-reached")
    assert changed.response_details == StateWaitDetails(7, reason.format(7), "limit-reached")


async def test_a_slot_that_came_free_is_taken(world: World) -> None:
    world.tables.limits["db"] = 1
    holder = holder_of(world, "db")
    run = world.task_run(tags=("db",))
    delayed = await world.propose(run, RUNNING, CoreTaskPolicy)
    await world.propose(holder, StateType.COMPLETED, CoreTaskPolicy)
    accepted = await world.propose(run, RUNNING, CoreTaskPolicy)

    assert delayed.response_status is SetStateStatus.WAIT
    assert accepted.response_status is SetStateStatus.ACCEPT
    assert (world.held(holder), world.held(run)) == (set(), {"db"})


@pytest.mark.parametrize("full", ["db", "gpu"])
async def test_of_two_limited_tags_all_or_none_are_taken(world: World, full: str) -> None:
    world.tables.limits.update({"db": 1, "gpu": 1})
    holder_of(world, full)
    run = world.task_run(tags=("db", "gpu"))
    context = await world.propose(run, RUNNING, POLICY)

    assert context.response_details.code == "limit-reached"
    assert world.held(run) == set()


async def test_of_two_limited_tags_both_are_taken(world: World) -> None:
    world.tables.limits.update({"db": 1, "gpu": 1})
    run = world.task_run(tags=("db", "gpu"))
    await world.propose(run, RUNNING, POLICY)

    assert world.held(run) == {"db", "gpu"}


async def test_a_run_that_holds_a_slot_needs_no_other(world: World) -> None:
    world.tables.limits.update({"db": 1, "gpu": 1})
    run = world.task_run(StateType.CANCELLING, tags=("db", "gpu"))
    world.session.take_slots(run.id, ["db"])
    context = await world.propose(run, RUNNING, POLICY)

    assert context.response_status is SetStateStatus.ACCEPT
    assert world.held(run) == {"db", "gpu"}


async def test_a_delay_that_comes_later_leaves_no_slot(world: World) -> None:
    world.tables.limits["db"] = 1
    run = world.task_run(Scheduled(NOON + timedelta(hours=1)), tags=("db",))
    context = await world.propose(run, RUNNING, CoreTaskPolicy)

    assert context.response_details.code == "scheduled"
    assert world.held(run) == set()


@pytest.mark.parametrize("hook", [rejecting(Cancelled()), rejecting(None)])
async def test_a_rejection_that_comes_later_gives_back_just_what_was_taken(
    world: World, hook: Hook
) -> None:
    world.tables.limits.update({"db": 1, "gpu": 1})
    run = world.task_run(StateType.CANCELLING, tags=("db", "gpu"))
    world.session.take_slots(run.id, ["gpu"])
    replacing = Recorder().rule("Rejecting", Hooks(before=hook))
    await world.propose(run, RUNNING, policy_of(SecureTaskConcurrencySlots, replacing))

    assert world.held(run) == {"gpu"}


async def test_a_forced_run_takes_no_slot(world: World) -> None:
    world.tables.limits.update({"db": 1, "shut": 0})
    run = world.task_run(tags=("db", "shut"))
    context = await world.propose(run, RUNNING, MinimalTaskPolicy)

    assert context.response_status is SetStateStatus.ACCEPT
    assert world.held(run) == set()
