"""The base of universal transforms: bookkeeping around every transition, whatever the states."""

from types import TracebackType
from typing import Generic

from rules.context import (
    FlowOrchestrationContext,
    GenericOrchestrationContext,
    TaskOrchestrationContext,
)
from rules.rule import ContextT, record_error
from rules.states import StateType


class BaseUniversalTransform(Generic[ContextT]):
    """Bookkeeping around a transition, an async context manager as rules are.

    It has no state of its own and no FROM or TO: it is entered whenever something was proposed,
    and gets the very context, not a copy. What it must not do where a rule took the proposal
    away, it asks ``nullified_transition``.
    """

    def __init__(
        self,
        context: ContextT,
        from_state_type: StateType | None,
        to_state_type: StateType | None,
    ) -> None:
        self.context = context
        self.from_state_type = from_state_type
        self.to_state_type = to_state_type

    async def before_transition(self, context: ContextT) -> None:
        """Act on what is proposed, before it is written."""

    async def after_transition(self, context: ContextT) -> None:
        """Act on what was written. Not called where the transition met an exception."""

    @classmethod
    def acts_on_exit(cls) -> bool:
        """Whether it does anything on exit: most don't, and to leave them all takes its time."""
        return cls.after_transition is not BaseUniversalTransform.after_transition

    async def __aenter__(self) -> ContextT:
        try:
            await self.before_transition(self.context)
        except Exception as error:
            if self.context.session.is_transient(error):
                raise
            record_error(self.context, type(self).__name__, error)
        return self.context

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error_type is None and not self.exception_in_transition():
            await self.after_transition(self.context)

    def nullified_transition(self) -> bool:
        """Whether by now nothing is proposed."""
        return self.context.proposed_state is None

    def exception_in_transition(self) -> bool:
        """Whether a rule or transform raised on entry."""
        return self.context.orchestration_error is not None


class FlowRunUniversalTransform(BaseUniversalTransform[FlowOrchestrationContext]):
    """The base of transforms for flow runs."""


class TaskRunUniversalTransform(BaseUniversalTransform[TaskOrchestrationContext]):
    """The base of transforms for task runs."""


class GenericUniversalTransform(BaseUniversalTransform[GenericOrchestrationContext]):
    """The base of transforms for runs of both kinds."""
