"""A policy of a user's whose rules raise what a library might: whole URLs, with their passwords."""

import os
from collections.abc import Sequence

from typing_extensions import override

from rules import BaseOrchestrationPolicy, TaskRunOrchestrationRule
from rules.context import TaskOrchestrationContext
from rules.policy import RuleOrTransform
from rules.rule import ANY_STATE
from rules.states import State, StateType


def _failure() -> Exception:
    error = RuntimeError(f"nothing to be had of {os.environ['POINTSMAN_DATABASE_URL']}")
    error.__cause__ = ConnectionError(f"can't connect to {os.environ['POINTSMAN_AMQP_URL']}")
    return error


class LeaksAtOnce(TaskRunOrchestrationRule):
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
        raise _failure()


class LeaksInTheEnd(TaskRunOrchestrationRule):
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
        raise _failure()


class LeakyPolicy(BaseOrchestrationPolicy):
    """Nobody starts, and nobody pauses."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (LeaksAtOnce, LeaksInTheEnd)
