"""What a rule can do to a proposal, and until when."""

from typing import Any

import pytest

from rules import SetStateStatus, StateType
from rules.errors import AlreadyValidatedError, StatelessRejectionError
from rules.responses import (
    StateAbortDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from rules.states import Cancelled, Pending, Running
from tests.rules.recording import Hook, Hooks, Recorder, abort, delay, rejecting
from tests.rules.world import World, policy_of

PENDING, RUNNING = StateType.PENDING, StateType.RUNNING


async def test_the_last_rule_to_decide_is_the_one_that_decided(
    world: World, recorder: Recorder
) -> None:
    rules = (
        recorder.rule("First", Hooks(before=rejecting(Running(name="Slowly")))),
        recorder.rule("Second", Hooks(before=abort)),
    )
    context = await world.propose(world.task_run(PENDING), RUNNING, policy_of(*rules))

    assert context.decided_by == "Second"
    assert context.response_details == StateAbortDetails("Never.", "never")


async def test_a_rejected_proposal_becomes_the_other_state(
    world: World, recorder: Recorder
) -> None:
    run, other = world.task_run(PENDING), Cancelled(message="instead")
    rule = recorder.rule("Rejecting", Hooks(before=rejecting(other)))
    context = await world.propose(run, RUNNING, policy_of(rule))

    assert context.response_status is SetStateStatus.REJECT
    assert context.response_details == StateRejectDetails("No.", "no")
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
    assert context.response_details == StateAbortDetails("Never.", "never")
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

    assert context.response_details == StateAbortDetails("Never.", "never")
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
