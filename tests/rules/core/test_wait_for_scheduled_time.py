"""A run waits for its time."""

from datetime import timedelta

import pytest

from rules import SetStateStatus, StateType
from rules.core.wait_for_scheduled_time import WaitForScheduledTime
from rules.errors import MissingScheduledTimeError
from rules.responses import StateAcceptDetails, StateWaitDetails
from rules.states import Scheduled
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

POLICY = policy_of(WaitForScheduledTime)


@pytest.mark.parametrize(
    ("ahead", "delay"),
    [
        (-3600, None),
        (0, None),
        (0.499_999, None),
        (0.5, 1),
        (1, 1),
        (1.000_001, 2),
        (59.2, 60),
        (3600, 3600),
    ],
)
async def test_the_delay_lasts_until_then_in_whole_seconds_rounded_up(
    world: World, ahead: float, delay: int | None
) -> None:
    run = world.task_run(Scheduled(NOON + timedelta(seconds=ahead)))
    context = await world.propose(run, StateType.RUNNING, POLICY)

    details = context.response_details
    if delay is None:
        assert details == StateAcceptDetails()
    else:
        assert isinstance(details, StateWaitDetails)
        assert (details.delay_seconds, details.code) == (delay, "scheduled")


@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_any_proposal_waits(world: World, proposed: StateType) -> None:
    for run in (
        world.task_run(Scheduled(NOON + timedelta(hours=1))),
        world.flow_run(Scheduled(NOON + timedelta(hours=1))),
    ):
        context = await world.propose(run, proposed, POLICY)

        assert context.response_details == StateWaitDetails(
            3600, "The run is scheduled for 2026-01-01 13:00:00 UTC, in 3600 s.", "scheduled"
        )
        assert world.written(run) == []


@pytest.mark.parametrize("initial", [state for state in EVERY_FROM if state != "SCHEDULED"])
async def test_only_a_scheduled_run_waits(world: World, initial: StateType | None) -> None:
    run = world.task_run(initial)
    context = await world.propose(run, Scheduled(NOON + timedelta(hours=1)), POLICY)

    assert context.rule_signature == []
    assert context.response_status is SetStateStatus.ACCEPT


async def test_a_scheduled_state_without_a_time_is_an_error(world: World) -> None:
    timeless = Scheduled(NOON).with_details({"scheduled_time": None})
    context = await world.propose(world.task_run(timeless), StateType.RUNNING, POLICY)

    assert isinstance(context.orchestration_error, MissingScheduledTimeError)
    assert context.response_details.code == "rule-error"
