"""The core policy with rules of a user's, of which one misbehaves where a request asks it to."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from enum import StrEnum

from typing_extensions import override

from rules import BaseOrchestrationPolicy, TaskRunOrchestrationRule
from rules.context import TaskOrchestrationContext
from rules.policies import CoreTaskPolicy
from rules.policy import RuleOrTransform
from rules.rule import ANY_STATE
from rules.states import State
from tests.chaos.notes import KeepsNotes

PARAMETER = "chaos"
"""The key in a request's ``parameters`` that names a ``Misdeed``."""

_SLOW_SECONDS = 7.0
"""Longer than the consumers' ``processing_seconds`` in a trial."""


_BLOCKED_SECONDS = 600.0


class Misdeed(StrEnum):
    """What the rule does to a request, or to the process in which it runs."""

    RAISE_BEFORE = "raise-before"
    RAISE_AFTER = "raise-after"
    RAISE_AFTER_SOMETIMES = "raise-after-sometimes"
    TAKE_TOO_LONG = "take-too-long"
    BLOCK = "block"
    END_THE_PROCESS = "end-the-process"


class Misbehaves(TaskRunOrchestrationRule):
    """Does what the request says."""

    FROM_STATES = ANY_STATE
    TO_STATES = ANY_STATE

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        misdeed = context.parameters.get(PARAMETER)
        if misdeed == Misdeed.RAISE_BEFORE:
            raise ZeroDivisionError("asked to raise before it is decided")
        if misdeed == Misdeed.TAKE_TOO_LONG:
            await asyncio.sleep(_SLOW_SECONDS)
        if misdeed == Misdeed.BLOCK:
            time.sleep(_BLOCKED_SECONDS)  # noqa: ASYNC251 - no event loop goes on beside it
        if misdeed == Misdeed.END_THE_PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        misdeed = context.parameters.get(PARAMETER)
        sometimes = misdeed == Misdeed.RAISE_AFTER_SOMETIMES
        if misdeed == Misdeed.RAISE_AFTER or (sometimes and random.random() < 0.5):  # noqa: S311 - no secret
            raise ZeroDivisionError("asked to raise when all is decided")


class MisbehavingTaskPolicy(BaseOrchestrationPolicy):
    """All that governs task runs, a rule that writes rows, and one that is no help."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (KeepsNotes, *CoreTaskPolicy.priority(), Misbehaves)
