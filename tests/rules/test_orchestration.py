"""One proposal through one policy: the order of things, and what is taken back."""

import asyncio
from collections.abc import MutableSequence
from typing import Any

import pytest

from rules import DecisionCode, SetStateStatus, StateType
from rules.policies import CoreTaskPolicy, GlobalTaskPolicy
from rules.responses import StateAcceptDetails
from rules.states import Cancelled, Completed, Pending, Running
from tests.memory.errors import StorageBusyError
from tests.memory.tables import Slot
from tests.rules.recording import Hooks, Recorder, raising, rejecting
from tests.rules.world import NO_RULES, World, described, policy_of

PENDING, RUNNING = StateType.PENDING, StateType.RUNNING


fail = raising(ValueError("first"))


async def change_all(rule: Any) -> None:
    """Change what a rule can change."""
    context = rule.context
    context.run.run_count = 9
    context.session.take_slots(context.run.id, ["db"])
    context.session.write_artifact(context.run, Completed(data=1))
    context.session.remember_state("key", Completed(), None)
    other = await context.session.flow_run(context.run.flow_run_id)
    other.run_count = 9
    context.also_changed.append(other)


async def change_all_and_abort(rule: Any) -> None:
    await change_all(rule)
    await rule.abort_transition("Never.", "no")


async def change_all_and_delay(rule: Any) -> None:
    await change_all(rule)
    await rule.delay_transition(1, "Later.", "later")


async def change_all_and_fail(rule: Any) -> None:
    await change_all(rule)
    raise ValueError


async def test_rules_are_entered_in_order_and_left_in_reverse_around_the_transforms(
    world: World, recorder: Recorder
) -> None:
    policy = policy_of(recorder.rule("A"), recorder.transform("B"), recorder.rule("C"))
    bookkeeping = policy_of(recorder.transform("X"), recorder.transform("Y"))
    context = await world.propose(world.task_run(PENDING), RUNNING, policy, bookkeeping)

    entered = [f"{name}.before" for name in "ABCXY"]
    assert recorder.calls == entered + [f"{name}.after" for name in "YXCBA"]
    assert context.rule_signature == ["A", "C"]
    assert context.finalization_signature == ["C", "A"]


async def test_the_state_is_written_after_the_last_entry_and_before_the_first_exit(
    world: World, recorder: Recorder
) -> None:
    run, written = world.task_run(PENDING), []

    async def look(_entry: Any) -> None:
        written.append(len(world.written(run)))

    hooks = Hooks(before=look, after=look)
    policy, bookkeeping = policy_of(recorder.rule("A", hooks)), recorder.transform("X", hooks)
    await world.propose(run, RUNNING, policy, policy_of(bookkeeping))

    assert written == [0, 0, 1, 1]


async def test_an_accepted_proposal_is_written_and_pointed_at(world: World) -> None:
    run, proposed = world.task_run(Pending(), version=4), Running(message="off we go")
    context = await world.propose(run, proposed, NO_RULES, NO_RULES)

    assert world.written(run) == [proposed]
    assert context.validated_state is context.written_state is run.state is proposed
    assert context.validated_state_type is RUNNING
    assert run.version == 5


@pytest.mark.parametrize("data", [0, False, "", [], {}, {"type": "other"}, "unpersisted", [None]])
async def test_a_result_is_kept_as_an_artifact(world: World, data: Any) -> None:
    run = world.task_run(RUNNING)
    await world.propose(run, Completed(data=data), NO_RULES)

    assert world.artifacts(run) == [data]


@pytest.mark.parametrize("data", [None, {"type": "unpersisted"}, {"type": "unpersisted", "n": 1}])
async def test_no_result_is_no_artifact(world: World, data: Any) -> None:
    run = world.task_run(RUNNING)
    await world.propose(run, Completed(data=data), NO_RULES)

    assert world.artifacts(run) == []
    assert len(world.written(run)) == 1


@pytest.mark.parametrize("initial", [None, RUNNING])
async def test_where_nothing_is_proposed_nothing_is_entered_or_written(
    world: World, recorder: Recorder, initial: StateType | None
) -> None:
    run = world.task_run(initial)
    before = described(run)
    policy, bookkeeping = policy_of(recorder.rule("A")), policy_of(recorder.transform("X"))
    context = await world.propose(run, None, policy, bookkeeping)

    assert recorder.calls == []
    assert context.response_status is SetStateStatus.ACCEPT
    assert context.response_details == StateAcceptDetails(DecisionCode.NOTHING_PROPOSED)
    assert context.validated_state is run.state
    assert context.written_state is None
    assert described(run) == before
    assert world.written(run) == []


@pytest.mark.parametrize("hook", [change_all_and_abort, change_all_and_delay, change_all_and_fail])
async def test_all_that_a_request_changed_is_taken_back_where_nothing_comes_of_it(
    world: World, recorder: Recorder, hook: Any
) -> None:
    flow_run = world.flow_run()
    run = world.task_run(PENDING, flow_run_id=flow_run.id)
    before = described(run), described(flow_run)
    policy = policy_of(recorder.rule("A", Hooks(before=hook)))
    context = await world.propose(run, RUNNING, policy)

    assert context.written_state is None
    assert context.also_changed == []
    assert (described(run), described(flow_run)) == before
    tables = world.tables
    assert (tables.slots, tables.artifacts, tables.cached_states) == (set(), [], [])


@pytest.mark.parametrize("hook", ["after", "cleanup"])
async def test_an_error_on_exit_takes_everything_back_and_is_raised(
    world: World, recorder: Recorder, hook: str
) -> None:
    flow_run = world.flow_run()
    run = world.task_run(PENDING, flow_run_id=flow_run.id)
    before = described(run), described(flow_run)
    rules = [
        recorder.rule("A", Hooks(**{hook: fail})),
        recorder.rule(
            "B", Hooks(before=rejecting(Cancelled()) if hook == "cleanup" else change_all)
        ),
    ]

    with pytest.raises(ValueError, match="first"):
        await world.propose(run, RUNNING, policy_of(*rules))
    assert (described(run), described(flow_run)) == before
    assert world.written(run) == []
    assert world.tables.slots == set()


async def test_after_an_error_on_exit_what_was_entered_cleans_up(
    world: World, recorder: Recorder, events: MutableSequence[Any]
) -> None:
    policy = policy_of(
        recorder.rule("A", Hooks(cleanup=raising(KeyError("second")))),
        recorder.transform("T"),
        recorder.rule("B"),
        recorder.rule("C", Hooks(after=fail)),
        recorder.rule("D"),
    )

    with pytest.raises(ValueError, match="first"):
        await world.propose(world.task_run(PENDING), RUNNING, policy)
    assert recorder.calls[5:] == ["D.after", "C.after", "B.cleanup", "A.cleanup"]
    assert [(event["event"], event["rule"]) for event in events] == [("cleanup-failed", "A")]


async def test_what_storage_will_take_back_whole_is_not_undone_bit_by_bit(
    world: World, recorder: Recorder
) -> None:
    async def lose_storage(rule: Any) -> None:
        rule.context.run.run_count = 9
        raise StorageBusyError

    run = world.task_run(PENDING)
    rules = [recorder.rule("A"), recorder.rule("B", Hooks(after=lose_storage))]

    with pytest.raises(StorageBusyError):
        await world.propose(run, RUNNING, policy_of(*rules))
    assert recorder.calls[-1] == "A.cleanup"
    assert run.run_count == 9


async def test_a_cancelled_request_runs_no_further_hook(world: World, recorder: Recorder) -> None:
    rules = [
        recorder.rule("A"),
        recorder.rule("B", Hooks(before=raising(asyncio.CancelledError()))),
    ]

    with pytest.raises(asyncio.CancelledError):
        await world.propose(world.task_run(PENDING), RUNNING, policy_of(*rules))
    assert recorder.calls == ["A.before", "B.before"]


async def test_each_request_sees_what_those_before_it_did(world: World) -> None:
    run = world.task_run()
    codes = []
    for proposed in (PENDING, PENDING, RUNNING, PENDING):
        context = await world.propose(run, proposed, CoreTaskPolicy, GlobalTaskPolicy)
        codes.append(context.response_details.code)

    assert codes == [None, "redundant", None, "redundant"]
    assert [state.type for state in world.written(run)] == [PENDING, RUNNING]
    assert run.version == 2


async def test_a_later_abort_leaves_what_earlier_requests_did(world: World) -> None:
    world.tables.limits["db"] = 1
    run = world.task_run(PENDING, tags=("db",))
    await world.propose(run, RUNNING, CoreTaskPolicy)
    await world.propose(run, RUNNING, CoreTaskPolicy)

    assert world.tables.slots == {Slot("db", run.id)}
    assert run.run_count == 1
