"""A policy of a user's whose rules raise, as its consumer imports it."""

from collections.abc import Sequence

from typing_extensions import override

from rules import BaseOrchestrationPolicy, TaskRunOrchestrationRule
from rules.context import TaskOrchestrationContext
from rules.policy import RuleOrTransform
from rules.rule import ANY_STATE
from rules.states import State, StateType


class RefusesToStart(TaskRunOrchestrationRule):
    """Raises before it has decided."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        raise ZeroDivisionError("no budget is left")


class FailsInTheEnd(TaskRunOrchestrationRule):
    """Raises when all is decided."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.PAUSED})

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        raise ZeroDivisionError("nothing to divide by")


class FaultyPolicy(BaseOrchestrationPolicy):
    """Nobody starts, and nobody pauses."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (RefusesToStart, FailsInTheEnd)
