"""Universal transforms: around every transition, whatever the states."""

import asyncio
from typing import Any

import pytest

from rules import SetStateStatus, StateType
from rules.responses import DecisionCode
from tests.memory.errors import StorageBusyError
from tests.rules.recording import Hooks, Recorder, abort, raising
from tests.rules.world import EVERY_FROM, EVERY_TO, NO_RULES, World, policy_of

PENDING, RUNNING = StateType.PENDING, StateType.RUNNING


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_transform_fires_whatever_the_states(
    world: World, recorder: Recorder, initial: StateType | None, proposed: StateType
) -> None:
    bookkeeping = policy_of(recorder.transform("Books"))
    context = await world.propose(world.task_run(initial), proposed, NO_RULES, bookkeeping)

    assert recorder.calls == ["Books.before", "Books.after"]
    assert context.rule_signature == []


async def test_a_transform_sees_that_a_rule_took_the_proposal_away(
    world: World, recorder: Recorder
) -> None:
    seen: list[tuple[bool, bool]] = []

    async def look(transform: Any) -> None:
        seen.append((transform.nullified_transition(), transform.exception_in_transition()))

    transform = recorder.transform("Books", Hooks(before=look, after=look))
    run = world.task_run(PENDING)
    aborting = policy_of(recorder.rule("Aborting", Hooks(before=abort)))
    await world.propose(run, RUNNING, NO_RULES, policy_of(transform))
    await world.propose(run, RUNNING, aborting, policy_of(transform))

    assert seen == [(False, False)] * 2 + [(True, False)] * 2


async def test_a_transform_does_not_fire_after_an_exception(
    world: World, recorder: Recorder
) -> None:
    seen: list[tuple[bool, bool]] = []

    async def look(transform: Any) -> None:
        seen.append((transform.nullified_transition(), transform.exception_in_transition()))

    failing = recorder.rule("Failing", Hooks(before=raising(ValueError())))
    transform = recorder.transform("Books", Hooks(before=look))
    await world.propose(world.task_run(PENDING), RUNNING, policy_of(failing), policy_of(transform))

    assert recorder.calls == ["Failing.before", "Books.before", "Failing.cleanup"]
    assert seen == [(True, True)]


async def test_a_transform_gets_the_very_context(world: World, recorder: Recorder) -> None:
    async def annotate(transform: Any) -> None:
        transform.context.proposed_state = transform.context.proposed_state.revised(message="seen")

    run = world.task_run(PENDING)
    bookkeeping = policy_of(recorder.transform("Books", Hooks(before=annotate)))
    await world.propose(run, RUNNING, NO_RULES, bookkeeping)

    assert [state.message for state in world.written(run)] == ["seen"]


async def test_a_transform_that_raises_aborts(world: World, recorder: Recorder) -> None:
    run = world.task_run(PENDING)
    rule = recorder.rule("Rule")
    bookkeeping = policy_of(recorder.transform("Books", Hooks(before=raising(ValueError()))))
    context = await world.propose(run, RUNNING, policy_of(rule), bookkeeping)

    assert context.response_status is SetStateStatus.ABORT
    assert context.response_details.code == DecisionCode.RULE_ERROR
    assert context.decided_by == "Books"
    assert recorder.calls == ["Rule.before", "Books.before", "Rule.cleanup"]
    assert world.written(run) == []


@pytest.mark.parametrize("error", [StorageBusyError, asyncio.CancelledError])
async def test_a_passing_error_and_a_cancellation_are_raised_on(
    world: World, recorder: Recorder, error: type[BaseException]
) -> None:
    bookkeeping = policy_of(recorder.transform("Books", Hooks(before=raising(error()))))

    with pytest.raises(error):
        await world.propose(world.task_run(PENDING), RUNNING, NO_RULES, bookkeeping)
