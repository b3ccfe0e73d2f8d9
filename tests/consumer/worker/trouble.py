"""Rules that make trouble for one run, by which a test sees who suffers."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from rules import ANY_STATE, BaseOrchestrationPolicy, TaskRunOrchestrationRule
from rules.policies import CoreTaskPolicy
from rules.policy import RuleOrTransform
from rules.states import Running


class Troubled(TaskRunOrchestrationRule):
    """Troubles the run that a test names."""

    FROM_STATES = ANY_STATE
    TO_STATES = ANY_STATE
    run_id: ClassVar[UUID]

    @property
    def is_due(self) -> bool:
        return self.context.run.id == self.run_id


class FailsBefore(Troubled):
    async def before_transition(self, *_: object) -> None:
        if self.is_due:
            raise KeyError("the flag")


class FailsAfter(Troubled):
    async def after_transition(self, *_: object) -> None:
        if self.is_due:
            raise ValueError("not today")


class Hangs(Troubled):
    async def after_transition(self, *_: object) -> None:
        if self.is_due:
            await asyncio.Event().wait()


class WritesRubbish(Troubled):
    async def after_transition(self, *_: object) -> None:
        if self.is_due:
            self.context.run.run_count = 2**80


def policy_with(rule: type[Troubled], run_id: UUID) -> type[BaseOrchestrationPolicy]:
    rule.run_id = run_id

    class Policy(BaseOrchestrationPolicy):
        @staticmethod
        def priority() -> Sequence[RuleOrTransform]:
            return [rule, *CoreTaskPolicy.priority()]

    return Policy


class SaysTheUnsayable(Troubled):
    async def before_transition(self, *_: object) -> None:
        if self.is_due:
            await self.reject_transition(Running(), "a name like \udcff", "unsayable")
