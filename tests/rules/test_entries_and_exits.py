"""Whatever rules do to a proposal, what was entered is left again, in reverse."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules import OrchestrationContext, SetStateStatus, State, StateType
from tests.rules.histories import untimed
from tests.rules.recording import Hooks, Recorder
from tests.rules.world import EVERY_FROM, EVERY_TO, World, policy_of

MOVES = ("nothing", "rename", "reject", "keep", "delay", "abort", "raise")
Plan = tuple[frozenset[StateType | None], frozenset[StateType | None], str, StateType]
some_states = st.frozensets(st.sampled_from(EVERY_FROM)) | st.just(frozenset(EVERY_FROM))
plans = st.lists(
    st.tuples(some_states, some_states, st.sampled_from(MOVES), st.sampled_from(EVERY_TO)),
    max_size=6,
)


def hooks_for(move: str, into: StateType) -> Hooks:
    async def act(rule: Any) -> None:
        match move:
            case "rename":
                await rule.rename_state("Renamed")
            case "reject":
                await rule.reject_transition(State(type=into), "No.", move)
            case "keep":
                await rule.reject_transition(None, "No.", move)
            case "delay":
                await rule.delay_transition(1, "Later.", move)
            case "abort":
                await rule.abort_transition("Never.", move)
            case "raise":
                raise ZeroDivisionError

    return Hooks(before=act)


async def governed(
    initial: StateType | None, proposed: StateType, plan: Sequence[Plan]
) -> tuple[OrchestrationContext[Any, Any], Recorder, World]:
    """The proposal through rules R0, R1, … that do as planned, and one transform."""
    world, recorder = World(), Recorder()
    rules = [
        recorder.rule(f"R{number}", hooks_for(move, into), FROM_STATES=froms, TO_STATES=tos)
        for number, (froms, tos, move, into) in enumerate(plan)
    ]
    bookkeeping = policy_of(recorder.transform("T"))
    run = world.task_run(initial)
    context = await world.propose(run, proposed, policy_of(*rules), bookkeeping)
    return context, recorder, world


@untimed
@given(st.sampled_from(EVERY_FROM), st.sampled_from(EVERY_TO), plans)
async def test_each_rule_that_was_entered_is_left_once_in_reverse_order(
    initial: StateType | None, proposed: StateType, plan: Sequence[Plan]
) -> None:
    context, recorder, _ = await governed(initial, proposed, plan)

    calls = [call.split(".") for call in recorder.calls if not call.startswith("T.")]
    entered = [name for name, hook in calls if hook == "before"]
    left = [name for name, hook in calls if hook != "before"]
    assert entered == context.rule_signature
    assert left == entered[::-1]
    assert [name for name, hook in calls if hook == "after"] == context.finalization_signature


@untimed
@given(st.sampled_from(EVERY_FROM), st.sampled_from(EVERY_TO), plans)
async def test_a_transform_is_entered_always_and_left_unless_a_rule_raised(
    initial: StateType | None, proposed: StateType, plan: Sequence[Plan]
) -> None:
    context, recorder, _ = await governed(initial, proposed, plan)

    calls = [call for call in recorder.calls if call.startswith("T.")]
    assert calls == ["T.before", "T.after"][: 2 if context.orchestration_error is None else 1]


@untimed
@given(st.sampled_from(EVERY_FROM), st.sampled_from(EVERY_TO), plans)
async def test_the_answer_is_that_of_the_rule_that_decided(
    initial: StateType | None, proposed: StateType, plan: Sequence[Plan]
) -> None:
    context, _, _ = await governed(initial, proposed, plan)

    statuses = {
        "reject": SetStateStatus.REJECT,
        "keep": SetStateStatus.REJECT,
        "delay": SetStateStatus.WAIT,
        "abort": SetStateStatus.ABORT,
        "rule-error": SetStateStatus.ABORT,
        None: SetStateStatus.ACCEPT,
    }
    code = context.response_details.code
    assert context.response_status is statuses[code]
    assert (context.decided_by is None) == (code is None)
    if context.decided_by is not None:
        move = plan[int(context.decided_by.removeprefix("R"))][2]
        raised = move == "raise" or (move == "keep" and initial is None)
        assert code == ("rule-error" if raised else move)


@untimed
@given(st.sampled_from(EVERY_FROM), st.sampled_from(EVERY_TO), plans)
async def test_one_state_is_written_or_none_at_all(
    initial: StateType | None, proposed: StateType, plan: Sequence[Plan]
) -> None:
    context, _, world = await governed(initial, proposed, plan)

    written = world.written(context.run)
    nothing = context.response_status in (SetStateStatus.WAIT, SetStateStatus.ABORT)
    nothing = nothing or context.response_details.code == "keep"
    assert len(written) == (0 if nothing else 1)
    assert context.written_state == (None if nothing else written[0])
    assert context.run.version == len(written)
    assert context.run.state == (context.initial_state if nothing else written[0])
