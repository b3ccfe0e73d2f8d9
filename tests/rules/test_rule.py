"""Rules: which of their hooks fire, and what they are given."""

import asyncio
from collections.abc import MutableSequence
from typing import Any

import pytest

from rules import SetStateStatus, StateType
from rules.responses import (
    DecisionCode,
    StateAbortDetails,
    StateAcceptDetails,
)
from rules.rule import ANY_STATE, GenericOrchestrationRule
from rules.states import Cancelled, Failed, Pending, Running
from tests.memory.errors import StorageBusyError
from tests.rules.recording import Hook, Hooks, Recorder, abort, delay, raising, rejecting
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

PENDING, RUNNING = StateType.PENDING, StateType.RUNNING


async def test_a_valid_rule_fires_before_and_after(world: World, recorder: Recorder) -> None:
    run = world.task_run(PENDING)
    context = await world.propose(run, RUNNING, policy_of(recorder.rule("Valid")))

    assert recorder.calls == ["Valid.before", "Valid.after"]
    assert context.rule_signature == context.finalization_signature == ["Valid"]
    assert context.response_status is SetStateStatus.ACCEPT
    assert context.response_details == StateAcceptDetails(code=None)
    assert context.decided_by is None


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
async def test_a_rule_applies_only_between_the_states_that_it_names(
    world: World, recorder: Recorder, initial: StateType | None, proposed: StateType
) -> None:
    rule = recorder.rule(
        "Choosy",
        FROM_STATES=frozenset({None, PENDING}),
        TO_STATES=frozenset({RUNNING, StateType.FAILED}),
    )
    await world.propose(world.task_run(initial), proposed, policy_of(rule))

    applies = initial in (None, PENDING) and proposed in (RUNNING, StateType.FAILED)
    assert recorder.calls == (["Choosy.before", "Choosy.after"] if applies else [])


@pytest.mark.parametrize(
    ("from_type", "to_type"), [(PENDING, StateType.FAILED), (None, RUNNING), (PENDING, None)]
)
async def test_a_rule_built_for_another_transition_is_invalid_and_does_nothing(
    world: World, recorder: Recorder, from_type: StateType | None, to_type: StateType | None
) -> None:
    context = world.context(world.task_run(PENDING), RUNNING)
    async with recorder.rule("Invalid")(context, from_type, to_type) as entered:
        assert entered is context

    assert recorder.calls == []
    assert context.rule_signature == context.finalization_signature == []


async def test_a_rule_is_invalid_where_an_earlier_one_replaced_the_proposal(
    world: World, recorder: Recorder
) -> None:
    rules = (
        recorder.rule("Rejecting", Hooks(before=rejecting(Cancelled()))),
        recorder.rule("Later"),
    )
    context = await world.propose(world.task_run(PENDING), RUNNING, policy_of(*rules))

    assert recorder.calls == ["Rejecting.before", "Rejecting.after"]
    assert context.rule_signature == ["Rejecting"]


async def test_a_rule_fizzles_where_a_later_one_replaced_the_proposal(
    world: World, recorder: Recorder
) -> None:
    rules = (
        recorder.rule("Early"),
        recorder.rule("Rejecting", Hooks(before=rejecting(Cancelled()))),
    )
    context = await world.propose(world.task_run(PENDING), RUNNING, policy_of(*rules))

    assert recorder.calls == [
        "Early.before",
        "Rejecting.before",
        "Rejecting.after",
        "Early.cleanup",
    ]
    assert context.rule_signature == ["Early", "Rejecting"]
    assert context.finalization_signature == ["Rejecting"]
    assert context.decided_by == "Rejecting"


@pytest.mark.parametrize("hook", [rejecting(None), delay, abort])
async def test_a_rule_fizzles_where_a_later_one_took_the_proposal_away(
    world: World, recorder: Recorder, hook: Hook
) -> None:
    rules = (recorder.rule("Early"), recorder.rule("Later", Hooks(before=hook)))
    await world.propose(world.task_run(PENDING), RUNNING, policy_of(*rules))

    assert recorder.calls == ["Early.before", "Later.before", "Later.after", "Early.cleanup"]


async def test_a_rule_does_not_fizzle_where_the_proposal_keeps_its_type(
    world: World, recorder: Recorder
) -> None:
    rules = (
        recorder.rule("Early"),
        recorder.rule("Rejecting", Hooks(before=rejecting(Running(name="Slowly")))),
        recorder.rule("Later"),
    )
    run = world.task_run(PENDING)
    context = await world.propose(run, RUNNING, policy_of(*rules))

    assert recorder.calls == [
        "Early.before",
        "Rejecting.before",
        "Later.before",
        "Later.after",
        "Rejecting.after",
        "Early.after",
    ]
    assert run.state_name == "Slowly"
    assert context.response_status is SetStateStatus.REJECT


async def test_a_rule_that_raises_aborts_and_gets_its_cleanup(
    world: World, recorder: Recorder
) -> None:
    error = ValueError("spoilt")
    rules = (
        recorder.rule("Early"),
        recorder.rule("Failing", Hooks(before=raising(error))),
        recorder.rule("Later"),
    )
    run = world.task_run(PENDING)
    context = await world.propose(run, RUNNING, policy_of(*rules))

    assert context.response_status is SetStateStatus.ABORT
    assert context.response_details.code == DecisionCode.RULE_ERROR
    assert context.orchestration_error is error
    assert context.decided_by == "Failing"
    assert context.rule_signature == ["Early", "Failing"]
    assert recorder.calls == ["Early.before", "Failing.before", "Failing.cleanup", "Early.cleanup"]
    assert world.written(run) == []


async def test_a_rule_that_raises_is_logged_with_its_error(
    world: World, recorder: Recorder, events: MutableSequence[Any]
) -> None:
    error, run = ValueError("spoilt"), world.task_run(PENDING)
    rule = recorder.rule("Failing", Hooks(before=raising(error)))
    await world.propose(run, RUNNING, policy_of(rule))

    [event] = events
    assert event == {
        "event": "rule-failed",
        "log_level": "error",
        "rule": "Failing",
        "run_id": str(run.id),
        "exc_info": error,
    }


async def test_the_reason_does_not_repeat_what_an_error_says(
    world: World, recorder: Recorder
) -> None:
    rule = recorder.rule("Failing", Hooks(before=raising(ValueError("password=hunter2"))))
    context = await world.propose(world.task_run(PENDING), RUNNING, policy_of(rule))

    details = context.response_details
    assert isinstance(details, StateAbortDetails)
    assert "Failing failed with ValueError" in details.reason
    assert "hunter2" not in details.reason


@pytest.mark.parametrize("act", [rejecting(Failed()), delay, abort])
async def test_a_rule_that_raises_after_it_decided_aborts_and_gets_its_cleanup(
    world: World, recorder: Recorder, act: Hook
) -> None:
    async def decide_and_fail(rule: Any) -> None:
        await act(rule)
        raise ValueError

    rule = recorder.rule("Failing", Hooks(before=decide_and_fail))
    context = await world.propose(world.task_run(PENDING), RUNNING, policy_of(rule))

    assert context.response_details.code == DecisionCode.RULE_ERROR
    assert recorder.calls == ["Failing.before", "Failing.cleanup"]


async def test_a_passing_error_of_storage_is_raised_on(world: World, recorder: Recorder) -> None:
    rule = recorder.rule("Failing", Hooks(before=raising(StorageBusyError())))

    with pytest.raises(StorageBusyError):
        await world.propose(world.task_run(PENDING), RUNNING, policy_of(rule))


@pytest.mark.parametrize("hook", ["before", "after"])
async def test_a_cancellation_is_never_swallowed(
    world: World, recorder: Recorder, hook: str
) -> None:
    hooks = Hooks(**{hook: raising(asyncio.CancelledError())})

    with pytest.raises(asyncio.CancelledError):
        await world.propose(
            world.task_run(PENDING), RUNNING, policy_of(recorder.rule("Cancelled", hooks))
        )


async def test_hooks_are_given_the_states_of_the_transition(world: World) -> None:
    given: list[tuple[Any, ...]] = []

    class Looking(GenericOrchestrationRule):
        FROM_STATES = ANY_STATE
        TO_STATES = ANY_STATE

        async def before_transition(self, *arguments: Any) -> None:
            given.append(arguments[:2])

        async def after_transition(self, *arguments: Any) -> None:
            given.append(arguments[:2])

    initial, proposed = Pending(timestamp=NOON), Running(timestamp=NOON)
    run = world.task_run(initial)
    await world.propose(run, proposed, policy_of(Looking))

    assert given == [(initial, proposed), (initial, run.state)]


async def test_hooks_can_spoil_their_copies_without_harm(world: World) -> None:
    class Spoiling(GenericOrchestrationRule):
        FROM_STATES = ANY_STATE
        TO_STATES = ANY_STATE

        async def before_transition(self, *arguments: Any) -> None:
            spoil(arguments[2])

        async def after_transition(self, *arguments: Any) -> None:
            spoil(arguments[2])

    def spoil(context: Any) -> None:
        context.proposed_state = context.initial_state = context.validated_state = None
        context.response_status = SetStateStatus.ABORT
        context.rule_signature.append("spoilt")
        context.finalization_signature.append("spoilt")
        context.also_changed.append("spoilt")
        context.parameters["nested"]["list"].append("spoilt")
        context.parameters["spoilt"] = True

    run = world.task_run(PENDING)
    context = await world.propose(
        run, RUNNING, policy_of(Spoiling), parameters={"nested": {"list": []}}
    )

    assert context.response_status is SetStateStatus.ACCEPT
    assert run.state_type is RUNNING
    assert context.validated_state is run.state
    assert context.rule_signature == context.finalization_signature == ["Spoiling"]
    assert context.also_changed == []
    assert context.parameters == {"nested": {"list": []}}
