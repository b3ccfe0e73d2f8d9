"""The core policy with a rule of a user's that does what a request's parameters ask for."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

from typing_extensions import override

from rules import BaseOrchestrationPolicy, TaskRunOrchestrationRule
from rules.context import TaskOrchestrationContext
from rules.policies import CoreTaskPolicy
from rules.policy import RuleOrTransform
from rules.rule import ANY_STATE
from rules.states import State

PARAMETER = "misdeed"
"""The key in a request's ``parameters`` that names a ``Misdeed``."""

POLICY = f"{__name__}:MisdeedPolicy"
"""As the setting names it."""


class Misdeed(StrEnum):
    """What the rule does to the request, or to the process."""

    RAISES_BEFORE = "raises-before"
    RAISES_AFTER = "raises-after"
    RAISES_IN_CLEANUP = "raises-in-cleanup"
    HANGS = "hangs"
    WILL_NOT_END = "will-not-end"
    BLOCKS = "blocks"
    KILLS = "kills"
    EXITS = "exits"


class DoesWhatItIsTold(TaskRunOrchestrationRule):
    """Misbehaves where a request says so."""

    FROM_STATES = ANY_STATE
    TO_STATES = ANY_STATE

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        match context.parameters.get(PARAMETER):
            case Misdeed.RAISES_BEFORE:
                raise ZeroDivisionError("told to raise before anything is decided")
            case Misdeed.HANGS:
                await asyncio.Event().wait()
            case Misdeed.WILL_NOT_END:
                await _go_on_for_ever()
            case Misdeed.BLOCKS:
                time.sleep(3_600)  # noqa: ASYNC251  that is the misdeed
            case Misdeed.KILLS:
                os.kill(os.getpid(), signal.SIGKILL)
            case Misdeed.EXITS:
                os._exit(7)

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        if context.parameters.get(PARAMETER) == Misdeed.RAISES_AFTER:
            raise ZeroDivisionError("told to raise when all is decided")

    @override
    async def cleanup(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        if context.parameters.get(PARAMETER) == Misdeed.RAISES_IN_CLEANUP:
            raise ZeroDivisionError("told to raise when cleaning up")


async def _go_on_for_ever() -> None:
    """Try again and again, whatever happens: such is how cancellations get lost."""
    while True:
        with suppress(BaseException):
            await asyncio.Event().wait()


class MisdeedPolicy(BaseOrchestrationPolicy):
    """The misbehaving rule outside, so that it must clean up after whatever the others decide."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (DoesWhatItIsTold, *CoreTaskPolicy.priority())
