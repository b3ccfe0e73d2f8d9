"""Rules: when their hooks fire, and what they can do in them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableSequence
from typing import Any

import pytest

from rules import SetStateStatus, StateType
from rules.errors import AlreadyValidatedError, StatelessRejectionError
from rules.responses import (
    DecisionCode,
    StateAbortDetails,
    StateAcceptDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from rules.rule import ANY_STATE, GenericOrchestrationRule
from rules.states import Cancelled, Failed, Pending, Running, State
from tests.memory.errors import StorageBusyError
from tests.rules.recording import Hooks, Recorder
from tests.rules.world import EVERY_FROM, EVERY_TO, NOON, World, policy_of

PENDING, RUNNING = StateType.PENDING, StateType.RUNNING
Hook = Callable[[Any], Awaitable[None]]


def rejecting(state: State | None) -> Hook:
    async def reject(rule: Any) -> None:
        await rule.reject_transition(state, "Something else was to be.", "other")

    return reject


def raising(error: BaseException) -> Hook:
    async def fail(_rule: Any) -> None:
        raise error

    return fail


async def delay(rule: Any) -> None:
    await rule.delay_transition(12.2, "Not yet.", "later")


async def abort(rule: Any) -> None:
    await rule.abort_transition("Never.", "no")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


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


async def test_the_last_rule_to_decide_is_the_one_that_decided(
    world: World, recorder: Recorder
) -> None:
    rules = (
        recorder.rule("First", Hooks(before=rejecting(Running(name="Slowly")))),
        recorder.rule("Second", Hooks(before=abort)),
    )
    context = await world.propose(world.task_run(PENDING), RUNNING, policy_of(*rules))

    assert context.decided_by == "Second"
    assert context.response_details == StateAbortDetails("Never.", "no")


async def test_a_rejected_proposal_becomes_the_other_state(
    world: World, recorder: Recorder
) -> None:
    run, other = world.task_run(PENDING), Cancelled(message="instead")
    rule = recorder.rule("Rejecting", Hooks(before=rejecting(other)))
    context = await world.propose(run, RUNNING, policy_of(rule))

    assert context.response_status is SetStateStatus.REJECT
    assert context.response_details == StateRejectDetails("Something else was to be.", "other")
    assert [state.id for state in world.written(run)] == [other.id]
    assert context.validated_state == context.written_state == run.state
    assert run.state_type is StateType.CANCELLED


async def test_a_run_rejected_without_a_state_keeps_the_one_that_it_has(
    world: World, recorder: Recorder
) -> None:
    pending = Pending()
    run = world.task_run(pending)
    rule = recorder.rule("Rejecting", Hooks(before=rejecting(None)))
    context = await world.propose(run, RUNNING, policy_of(rule))

    assert context.response_status is SetStateStatus.REJECT
    assert world.written(run) == []
    assert run.state is context.validated_state is pending
    assert context.written_state is None


async def test_a_run_without_a_state_cannot_be_rejected_without_one(
    world: World, recorder: Recorder
) -> None:
    rule = recorder.rule("Rejecting", Hooks(before=rejecting(None)))
    context = await world.propose(world.task_run(), RUNNING, policy_of(rule))

    assert context.response_status is SetStateStatus.ABORT
    assert isinstance(context.orchestration_error, StatelessRejectionError)
    assert context.orchestration_error.rule == "Rejecting"


async def test_a_delay_writes_nothing_and_is_rounded_up_to_seconds(
    world: World, recorder: Recorder
) -> None:
    run = world.task_run(PENDING)
    context = await world.propose(
        run, RUNNING, policy_of(recorder.rule("Delaying", Hooks(before=delay)))
    )

    assert context.response_status is SetStateStatus.WAIT
    assert context.response_details == StateWaitDetails(13, "Not yet.", "later")
    assert context.validated_state is run.state
    assert world.written(run) == []


async def test_an_abort_writes_nothing(world: World, recorder: Recorder) -> None:
    run = world.task_run(PENDING)
    context = await world.propose(
        run, RUNNING, policy_of(recorder.rule("Aborting", Hooks(before=abort)))
    )

    assert context.response_status is SetStateStatus.ABORT
    assert context.response_details == StateAbortDetails("Never.", "no")
    assert world.written(run) == []


async def test_a_renamed_state_is_still_accepted(world: World, recorder: Recorder) -> None:
    async def rename(rule: Any) -> None:
        await rule.rename_state("Slowly")

    run, proposed = world.task_run(PENDING), Running()
    context = await world.propose(
        run, proposed, policy_of(recorder.rule("Renaming", Hooks(before=rename)))
    )

    assert context.response_status is SetStateStatus.ACCEPT
    assert run.state_name == "Slowly"
    assert [(state.id, state.name) for state in world.written(run)] == [(proposed.id, "Slowly")]
    assert proposed.name == "Running"


async def test_what_has_been_written_keeps_its_name(world: World, recorder: Recorder) -> None:
    async def rename(rule: Any) -> None:
        await rule.rename_state("Slowly")

    run = world.task_run(PENDING)
    await world.propose(run, RUNNING, policy_of(recorder.rule("Late", Hooks(after=rename))))

    assert run.state_name == "Running"
    assert [state.name for state in world.written(run)] == ["Running"]


async def test_what_was_taken_away_cannot_be_renamed(world: World, recorder: Recorder) -> None:
    async def abort_and_rename(rule: Any) -> None:
        await abort(rule)
        await rule.rename_state("Slowly")

    run = world.task_run(PENDING)
    context = await world.propose(
        run, RUNNING, policy_of(recorder.rule("Muddled", Hooks(before=abort_and_rename)))
    )

    assert context.response_details == StateAbortDetails("Never.", "no")
    assert world.written(run) == []


async def test_rules_pass_notes_by_the_context_parameters(world: World, recorder: Recorder) -> None:
    seen: list[Any] = []

    async def leave(rule: Any) -> None:
        await rule.update_context_parameters("note", "from the first")

    async def look(rule: Any) -> None:
        seen.append(rule.context.safe_copy().parameters)

    rules = (
        recorder.rule("First", Hooks(before=leave, after=look)),
        recorder.rule("Second", Hooks(before=look)),
    )
    await world.propose(
        world.task_run(PENDING), RUNNING, policy_of(*rules), parameters={"given": 1}
    )

    assert seen == [{"given": 1, "note": "from the first"}] * 2


@pytest.mark.parametrize("act", [rejecting(Cancelled()), rejecting(None), delay, abort])
async def test_a_rule_cannot_change_what_was_validated(
    world: World, recorder: Recorder, act: Hook
) -> None:
    run = world.task_run(PENDING)
    with pytest.raises(AlreadyValidatedError, match="Late"):
        await world.propose(run, RUNNING, policy_of(recorder.rule("Late", Hooks(after=act))))

    assert world.written(run) == []


async def test_a_rule_cannot_change_that_nothing_was_validated(
    world: World, recorder: Recorder
) -> None:
    async def reject_both_times(rule: Any) -> None:
        await rejecting(None)(rule)

    rule = recorder.rule("Twice", Hooks(before=reject_both_times, after=rejecting(Cancelled())))
    with pytest.raises(AlreadyValidatedError):
        await world.propose(world.task_run(PENDING), RUNNING, policy_of(rule))


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
