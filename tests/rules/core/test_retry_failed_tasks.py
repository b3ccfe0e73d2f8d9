"""A task run that failed is tried again as often as its policy says."""

from datetime import timedelta

import pytest

from rules import RunPolicy, SetStateStatus, StateType
from rules.core.retry_failed_tasks import RetryFailedTasks
from rules.moments import LATEST
from rules.policies import CoreTaskPolicy
from rules.responses import StateRejectDetails
from rules.states import Failed, StateDetails
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

POLICY = policy_of(RetryFailedTasks)


@pytest.mark.parametrize(
    ("retries", "run_count", "is_retried"),
    [(None, 1, False), (0, 1, False), (1, 1, True), (1, 2, False), (3, 3, True), (3, 4, False)],
)
async def test_it_is_retried_while_retries_are_left(
    world: World, retries: int | None, run_count: int, *, is_retried: bool
) -> None:
    run = world.task_run(StateType.RUNNING, policy=RunPolicy(retries=retries), run_count=run_count)
    context = await world.propose(run, StateType.FAILED, POLICY)

    assert context.response_details.code == ("retry" if is_retried else None)
    assert run.state_name == ("AwaitingRetry" if is_retried else "Failed")


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_only_running_to_failed_is_retried(
    world: World, initial: StateType | None, proposed: StateType
) -> None:
    run = world.task_run(initial, policy=RunPolicy(retries=5), run_count=1)
    context = await world.propose(run, proposed, POLICY)

    failed = (initial, proposed) == (StateType.RUNNING, StateType.FAILED)
    assert (context.response_status is SetStateStatus.REJECT) == failed


async def test_the_retry_keeps_what_the_failure_said_but_not_its_details(world: World) -> None:
    run = world.task_run(
        StateType.RUNNING, policy=RunPolicy(retries=1, retry_delay=90), run_count=1
    )
    failure = Failed(
        timestamp=NOON - timedelta(seconds=7),
        message="no route to host",
        data={"errno": 113},
        name="Custom",
        state_details=StateDetails(cache_key="key", untrackable_result=True),
    )
    context = await world.propose(run, failure, POLICY)

    [written] = world.written(run)
    assert written.id != failure.id
    assert (written.type, written.name) == (StateType.SCHEDULED, "AwaitingRetry")
    assert (written.timestamp, written.message) == (failure.timestamp, failure.message)
    assert written.data == failure.data
    assert written.state_details == StateDetails(
        scheduled_time=NOON + timedelta(seconds=90), task_run_id=run.id
    )
    assert context.response_details == StateRejectDetails(
        "Attempt 1 of 2 failed; the next is due at 2026-01-01 12:01:30 UTC.", "retry"
    )


async def test_without_a_delay_the_retry_is_due_at_once(world: World) -> None:
    run = world.task_run(StateType.RUNNING, policy=RunPolicy(retries=1), run_count=1)
    await world.propose(run, StateType.FAILED, POLICY)

    assert run.next_scheduled_start_time == NOON


async def test_a_delay_beyond_the_calendar_ends_with_it(world: World) -> None:
    policy = RunPolicy(retries=1, retry_delay=1e300)
    run = world.task_run(StateType.RUNNING, policy=policy, run_count=1)
    context = await world.propose(run, StateType.FAILED, POLICY)

    assert context.response_status is SetStateStatus.REJECT
    assert run.next_scheduled_start_time == LATEST


async def test_a_run_that_waits_for_its_retry_holds_no_slot(world: World) -> None:
    world.tables.limits["db"] = 1
    policy = RunPolicy(retries=1)
    run, other = (world.task_run(tags=("db",), policy=policy) for _ in range(2))
    await world.propose(run, StateType.RUNNING, CoreTaskPolicy)
    assert world.held(run) == {"db"}
    await world.propose(run, StateType.FAILED, CoreTaskPolicy)

    assert run.state_name == "AwaitingRetry"
    assert world.held(run) == set()
    context = await world.propose(other, StateType.RUNNING, CoreTaskPolicy)
    assert context.response_status is SetStateStatus.ACCEPT
