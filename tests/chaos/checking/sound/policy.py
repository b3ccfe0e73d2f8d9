"""The rules of sound histories: the usual ones, and one that fails where it is told to."""

from collections.abc import Sequence

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.policies import CoreTaskPolicy
from rules.policy import BaseOrchestrationPolicy, RuleOrTransform
from rules.rule import ANY_STATE, TaskRunOrchestrationRule
from rules.states import State, StateType
from tests.chaos.checking.sound.scripts import EXPLODE


class Explode(TaskRunOrchestrationRule):
    """Fails over a request with the parameter for it."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset(StateType)

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        if EXPLODE in context.parameters:
            raise ArithmeticError(EXPLODE)


class ExplosiveTaskPolicy(BaseOrchestrationPolicy):
    """The usual rules behind the one that fails."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (Explode, *CoreTaskPolicy.priority())
