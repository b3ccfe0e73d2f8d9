"""Policies: what can apply, in order, and cheaply."""

from collections.abc import Sequence

import pytest

from rules import BaseOrchestrationPolicy, StateType
from rules.core.prevent_redundant_transitions import PreventRedundantTransitions
from rules.core.rename_reruns import RenameReruns
from rules.core.wait_for_scheduled_time import WaitForScheduledTime
from rules.policies import CoreTaskPolicy
from rules.policy import RuleOrTransform
from tests.rules.recording import Recorder
from tests.rules.world import EVERY_FROM, EVERY_TO, policy_of

SCHEDULED, PENDING, RUNNING = StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING


@pytest.mark.parametrize("initial", EVERY_FROM)
@pytest.mark.parametrize("proposed", EVERY_TO)
def test_just_the_rules_that_can_apply_are_compiled(
    initial: StateType | None, proposed: StateType
) -> None:
    rules = (WaitForScheduledTime, PreventRedundantTransitions, RenameReruns)
    expected = [
        rule for rule in rules if initial in rule.FROM_STATES and proposed in rule.TO_STATES
    ]

    assert list(policy_of(*rules).compile_transition_rules(initial, proposed)) == expected


def test_transforms_always_apply_and_keep_their_place() -> None:
    transform = Recorder().transform("Books")
    policy = policy_of(WaitForScheduledTime, transform, RenameReruns)

    assert policy.compile_transition_rules(None, StateType.FAILED) == (transform,)
    assert policy.compile_transition_rules(SCHEDULED, RUNNING) == (
        WaitForScheduledTime,
        transform,
        RenameReruns,
    )


def test_where_nothing_is_proposed_nothing_applies() -> None:
    recorder = Recorder()
    policy = policy_of(recorder.rule("Rule"), recorder.transform("Books"))

    assert policy.compile_transition_rules(RUNNING, None) == ()


def test_a_policy_is_compiled_once_for_each_transition() -> None:
    asked: list[str] = []

    class Asked(BaseOrchestrationPolicy):
        @staticmethod
        def priority() -> Sequence[RuleOrTransform]:
            asked.append("again")
            return (RenameReruns,)

    first = Asked.compile_transition_rules(None, RUNNING)

    assert Asked.compile_transition_rules(None, RUNNING) is first
    assert asked == ["again"]


def test_a_policy_can_be_built_on_another() -> None:
    class Extended(CoreTaskPolicy):
        @staticmethod
        def priority() -> Sequence[RuleOrTransform]:
            return (*CoreTaskPolicy.priority(), Recorder().rule("Own"))

    names = [rule.__name__ for rule in Extended.compile_transition_rules(RUNNING, PENDING)]
    core = [rule.__name__ for rule in CoreTaskPolicy.compile_transition_rules(RUNNING, PENDING)]

    assert names == [*core, "Own"]
