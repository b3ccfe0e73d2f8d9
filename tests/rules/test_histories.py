"""What holds whatever is proposed, in whatever order, by the Core and the Minimal policies."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given

from rules import FlowRun, Run, SetStateStatus, StateType, TaskRun
from rules.rule import FINAL
from rules.states import State
from tests.memory.tables import Slot, Tables
from tests.rules.histories import Governed, Setting, Step, play, some_settings, some_steps, untimed

pytestmark = pytest.mark.timeout(300)  # each plays hundreds of histories

WITH_SLOTS = (StateType.RUNNING, StateType.CANCELLING)
UNSUCCESSFUL = (StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


def states_of(tables: Tables) -> Mapping[UUID, Sequence[State]]:
    """The states written for each run, in order."""
    written: Mapping[UUID, list[State]] = {run_id: [] for run_id in tables.runs}
    for row in tables.states:
        written[row.run_id].append(row.state)
    return written


def state_type(tables: Tables, run: Run) -> StateType | None:
    state = tables.runs[run.id].state
    return None if state is None else state.type


@untimed
@given(some_settings, some_steps)
async def test_a_final_state_is_left_only_by_the_rules_that_allow_it(
    setting: Setting, steps: Sequence[Step]
) -> None:
    for governed in await play(setting, steps):
        left = state_type(governed.before, governed.run)
        if left in FINAL and governed.changed and not governed.step.force:
            assert may_leave(governed, left)


def may_leave(governed: Governed, left: StateType | None) -> bool:
    run, reached = governed.run, governed.reached
    if isinstance(run, FlowRun):
        return run.deployment_id is not None and reached.name == "AwaitingRetry"
    if reached.name == "Cached":
        return governed.step.type is StateType.RUNNING
    assert isinstance(run, TaskRun)
    assert run.flow_run_id is not None
    earlier, flow_run = governed.before.runs[run.id], governed.before.runs[run.flow_run_id]
    assert isinstance(earlier, TaskRun)
    is_new_run = earlier.flow_run_run_count < flow_run.run_count
    return reached.name == "Retrying" and left in UNSUCCESSFUL and is_new_run


@untimed
@given(some_settings, some_steps)
async def test_slots_are_held_by_just_the_runs_that_run_unforced(
    setting: Setting, steps: Sequence[Step]
) -> None:
    expected: set[Slot] = set()
    for governed in await play(setting, steps):
        for run in governed.changed:
            reached = state_type(governed.after, run)
            if reached not in WITH_SLOTS:
                expected -= {slot for slot in expected if slot.holder == run.id}
        if governed.changed and is_run_unforced(governed):
            limited = setting.limits.keys() & set(governed.run.tags)
            expected |= {Slot(tag, governed.run.id) for tag in limited}

        assert governed.after.slots == expected
        taken = Counter(slot.tag for slot in expected)
        assert all(taken[tag] <= setting.limits[tag] for tag in taken)


def is_run_unforced(governed: Governed) -> bool:
    is_task = isinstance(governed.run, TaskRun)
    return is_task and governed.reached.is_running() and not governed.step.force


@untimed
@given(some_settings, some_steps)
async def test_the_run_count_is_how_often_running_was_entered_since_the_last_reset(
    setting: Setting, steps: Sequence[Step]
) -> None:
    counts: defaultdict[UUID, int] = defaultdict(int)
    for governed in await play(setting, steps):
        for run in governed.changed:
            if is_reset(governed, run):
                counts[run.id] = 0
            counts[run.id] += state_type(governed.after, run) is StateType.RUNNING

        found = {run.id: run.run_count for run in governed.after.runs.values()}
        assert found == {run_id: counts[run_id] for run_id in found}


def is_reset(governed: Governed, run: Run) -> bool:
    """Whether a task run began anew: of itself, or with its flow for an old client."""
    if not isinstance(run, TaskRun):
        return False
    if run is governed.run:
        left = state_type(governed.before, run)
        return left in FINAL and governed.reached.is_running() and not governed.step.force
    return run.flow_run_id == governed.run.id


@untimed
@given(some_settings, some_steps)
async def test_a_run_repeats_the_state_that_was_written_last(
    setting: Setting, steps: Sequence[Step]
) -> None:
    for governed in await play(setting, steps):
        for run_id, states in states_of(governed.after).items():
            run, last = governed.after.runs[run_id], states[-1] if states else None
            assert run.version == len(states)
            assert run.state == last
            assert run.state_type == (last and last.type)
            assert run.state_name == (last and last.name)
            assert run.state_timestamp == (last and last.timestamp)


@untimed
@given(some_settings, some_steps)
async def test_a_runs_times_follow_from_the_states_that_were_written(
    setting: Setting, steps: Sequence[Step]
) -> None:
    for governed in await play(setting, steps):
        for run_id, states in states_of(governed.after).items():
            run = governed.after.runs[run_id]
            first_running = next((state for state in states if state.is_running()), None)
            last = states[-1] if states else None
            due = last.state_details.scheduled_time if last and last.is_scheduled() else None
            assert run.total_run_time == time_spent_running(states)
            assert run.start_time == (first_running and first_running.timestamp)
            assert run.next_scheduled_start_time == due
            assert (run.expected_start_time is None) == (last is None)
            if last is not None and not last.is_final():
                assert run.end_time is None


def time_spent_running(states: Sequence[State]) -> float:
    """The sum of the spans from each RUNNING state to the next state, in seconds."""
    return sum(
        max(0.0, (following.timestamp - state.timestamp).total_seconds())
        for state, following in pairwise(states)
        if state.is_running()
    )


@untimed
@given(some_settings, some_steps)
async def test_a_nullified_proposal_writes_nothing(setting: Setting, steps: Sequence[Step]) -> None:
    for governed in await play(setting, steps):
        context = governed.context
        nullified = context.response_status in (SetStateStatus.WAIT, SetStateStatus.ABORT)
        assert (context.written_state is None) == (nullified or governed.step.type is None)
        if context.written_state is None:
            assert governed.after == governed.before
            assert context.also_changed == []
            assert context.validated_state is governed.before.runs[governed.run.id].state


@untimed
@given(some_settings, some_steps)
async def test_runs_that_are_not_told_of_are_not_changed(
    setting: Setting, steps: Sequence[Step]
) -> None:
    for governed in await play(setting, steps):
        changed = {run.id for run in governed.changed}
        for run_id, run in governed.after.runs.items():
            assert (run != governed.before.runs[run_id]) == (run_id in changed)


@untimed
@given(some_settings, some_steps)
async def test_whatever_did_not_go_as_proposed_has_a_code_and_a_rule(
    setting: Setting, steps: Sequence[Step]
) -> None:
    for governed in await play(setting, steps):
        context = governed.context
        accepted = context.response_status is SetStateStatus.ACCEPT
        assert (context.decided_by is None) == accepted
        if not accepted:
            assert context.response_details.code
            assert context.decided_by in context.rule_signature
        assert context.orchestration_error is None
