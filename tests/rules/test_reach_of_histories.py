"""Random histories come to what the properties are about, so that these don't hold for nothing."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from rules import DecisionCode, StateType
from tests.rules.histories import Governed, play, some_settings, some_steps, untimed

ALWAYS_THE_SAME = settings(untimed, derandomize=True, database=None, phases=[Phase.generate])
"""As many examples as a property tries."""


def comes_to(event: Callable[[Governed], bool]) -> None:
    """See that one of the examples comes to it."""
    find(
        st.tuples(some_settings, some_steps),
        lambda history: any(event(governed) for governed in asyncio.run(play(*history))),
        settings=ALWAYS_THE_SAME,
    )


@pytest.mark.parametrize("code", [code for code in DecisionCode if code != DecisionCode.RULE_ERROR])
def test_each_answer_is_given(code: DecisionCode) -> None:
    comes_to(lambda governed: governed.context.response_details.code == code)


@pytest.mark.parametrize(
    "state", [StateType.RUNNING, StateType.CANCELLING, StateType.FAILED, StateType.CRASHED]
)
def test_each_kind_of_state_is_proposed_to_a_holder_of_a_slot(state: StateType) -> None:
    comes_to(lambda governed: governed.step.type is state and is_holder(governed))


def test_a_holder_has_to_wait_for_a_retry() -> None:
    comes_to(
        lambda governed: (
            is_holder(governed) and governed.context.response_details.code == DecisionCode.RETRY
        )
    )


def test_a_task_run_that_ended_runs_again() -> None:
    rule = "HandleTaskTerminalStateTransitions"
    comes_to(
        lambda governed: (
            governed.context.written_state is not None and rule in governed.context.rule_signature
        )
    )


@pytest.mark.parametrize("code", [None, DecisionCode.RETRY])
def test_task_runs_change_along_with_a_flow_run(code: DecisionCode | None) -> None:
    comes_to(
        lambda governed: (
            governed.context.response_details.code == code and bool(governed.context.also_changed)
        )
    )


def is_holder(governed: Governed) -> bool:
    return governed.run.id in {slot.holder for slot in governed.before.slots}
