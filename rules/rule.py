"""The base of rules, each entered before the proposal is validated and left afterwards."""

import math
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, ClassVar, Generic, TypeVar, cast

import structlog

from rules.context import (
    FlowOrchestrationContext,
    GenericOrchestrationContext,
    TaskOrchestrationContext,
)
from rules.errors import AlreadyValidatedError, StatelessRejectionError
from rules.responses import (
    DecisionCode,
    SetStateStatus,
    StateAbortDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from rules.states import FINAL_STATES, State, StateType

log = structlog.get_logger(__name__)

ANY_STATE: frozenset[StateType | None] = frozenset({*StateType, None})
FINAL: frozenset[StateType | None] = frozenset(FINAL_STATES)

ContextT = TypeVar("ContextT", bound=GenericOrchestrationContext)


class BaseOrchestrationRule(Generic[ContextT]):
    """One behaviour, built for one proposed transition, an async context manager around it.

    ``FROM_STATES`` and ``TO_STATES`` say which transitions it governs (None is "no state"). Built
    for another, or entered when the context no longer proposes its own, it is *invalid* and does
    nothing. On exit it is *fizzled* if by then another transition is proposed than its own, or
    the proposal came to nothing by an error.

    Hooks may run more than once for one request, since a batch that failed is governed again.
    They get a copy of the context that they can spoil without harm; they act through the methods
    of the rule, through ``context.session`` and on ``context.run``. The states' data is shared:
    it is to be read only. A hook that a rule inherits empty is passed over, and no copy is made
    for it.
    """

    FROM_STATES: ClassVar[AbstractSet[StateType | None]] = frozenset()
    TO_STATES: ClassVar[AbstractSet[StateType | None]] = frozenset()

    def __init__(
        self,
        context: ContextT,
        from_state_type: StateType | None,
        to_state_type: StateType | None,
    ) -> None:
        self.context = context
        self.from_state_type = from_state_type
        self.to_state_type = to_state_type
        self._is_invalid = False
        self._has_failed = False

    async def before_transition(
        self, initial_state: State | None, proposed_state: State, context: ContextT
    ) -> None:
        """Look at the proposal; reject, delay, abort or rename it, or let it pass."""

    async def after_transition(
        self, initial_state: State | None, validated_state: State | None, context: ContextT
    ) -> None:
        """Act on what was validated. Not called where the rule was invalid or fizzled."""

    async def cleanup(
        self, initial_state: State | None, validated_state: State | None, context: ContextT
    ) -> None:
        """Take back what ``before_transition`` did: another transition came of it."""

    async def __aenter__(self) -> ContextT:
        self._is_invalid = not self._can_apply()
        if not self._is_invalid:
            self.context.rule_signature.append(type(self).__name__)
            if type(self).before_transition is not BaseOrchestrationRule.before_transition:
                await self._enter()
        return self.context

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_invalid:
            return
        if error_type is not None or self._is_fizzled():
            if type(self).cleanup is not BaseOrchestrationRule.cleanup:
                await self.cleanup(*self.context.exit_context())
        else:
            if type(self).after_transition is not BaseOrchestrationRule.after_transition:
                await self.after_transition(*self.context.exit_context())
            self.context.finalization_signature.append(type(self).__name__)

    async def reject_transition(self, state: State | None, reason: str, code: str) -> None:
        """Propose another state instead, or None: then the run keeps the state that it has.

        Raises:
            StatelessRejectionError: ``state`` is None and the run has none to keep.
        """
        self._refuse_once_validated()
        if state is None and self.context.run.state is None:
            raise StatelessRejectionError(type(self).__name__)
        self._propose(state)
        self.context.response_status = SetStateStatus.REJECT
        self.context.response_details = StateRejectDetails(reason, code)

    async def delay_transition(self, delay_seconds: float, reason: str, code: str) -> None:
        """Write nothing; the proposal may come again after ``delay_seconds``, rounded up."""
        self._refuse_once_validated()
        self._propose(None)
        self.context.response_status = SetStateStatus.WAIT
        self.context.response_details = StateWaitDetails(math.ceil(delay_seconds), reason, code)

    async def abort_transition(self, reason: str, code: str) -> None:
        """Write nothing, and say that it is no use to propose this again."""
        self._refuse_once_validated()
        self._propose(None)
        self.context.response_status = SetStateStatus.ABORT
        self.context.response_details = StateAbortDetails(reason, code)

    async def rename_state(self, name: str) -> None:
        """Give the proposed state another name; what has been written keeps its own."""
        if self.context.proposed_state is not None:
            # a member of an enum of names is kept as the text that it is
            self.context.proposed_state = self.context.proposed_state.revised(name=str(name))

    async def update_context_parameters(self, key: str, value: Any) -> None:
        """Leave a note in ``context.parameters`` for the rules to come, and for the own exit."""
        self.context.parameters[key] = value

    def _can_apply(self) -> bool:
        return (
            self.from_state_type in self.FROM_STATES
            and self.to_state_type in self.TO_STATES
            and self.context.proposed_state is not None
            and self._is_own_transition()
        )

    def _is_own_transition(self) -> bool:
        return (
            self.context.initial_state_type is self.from_state_type
            and self.context.proposed_state_type is self.to_state_type
        )

    def _is_fizzled(self) -> bool:
        return self._has_failed or not self._is_own_transition()

    async def _enter(self) -> None:
        try:
            initial, proposed, context = self.context.entry_context()
            # something is proposed, else the rule could not apply
            await self.before_transition(initial, cast("State", proposed), context)
        except Exception as error:
            if self.context.session.is_transient(error):
                raise
            self._has_failed = True
            record_error(self.context, type(self).__name__, error)

    def _propose(self, state: State | None) -> None:
        self.context.proposed_state = state
        self.context.decided_by = type(self).__name__
        # a rule never fizzles by its own doing
        self.to_state_type = self.context.proposed_state_type

    def _refuse_once_validated(self) -> None:
        if self.context.is_validated:
            raise AlreadyValidatedError(type(self).__name__)


def record_error(context: GenericOrchestrationContext, name: str, error: Exception) -> None:
    """Let an error raised on entry end the proposal: nothing is proposed, the answer is ABORT."""
    log.error("rule-failed", rule=name, run_id=str(context.run.id), exc_info=error)
    context.proposed_state = None
    context.orchestration_error = error
    context.decided_by = name
    context.response_status = SetStateStatus.ABORT
    context.response_details = StateAbortDetails(
        f"The rule {name} failed with {type(error).__name__} before it could decide.",
        DecisionCode.RULE_ERROR,
    )


class FlowRunOrchestrationRule(BaseOrchestrationRule[FlowOrchestrationContext]):
    """The base of rules for flow runs."""


class TaskRunOrchestrationRule(BaseOrchestrationRule[TaskOrchestrationContext]):
    """The base of rules for task runs."""


class GenericOrchestrationRule(BaseOrchestrationRule[GenericOrchestrationContext]):
    """The base of rules for runs of both kinds."""
