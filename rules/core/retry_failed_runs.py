"""A run that failed is tried again as often as its policy says."""

from datetime import datetime, timedelta

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.moments import LATEST
from rules.responses import DecisionCode
from rules.rule import BaseOrchestrationRule, ContextT
from rules.states import AwaitingRetry, State, StateType


class RetryFailedRuns(BaseOrchestrationRule[ContextT]):
    """Rejects FAILED into AwaitingRetry while the run has retries left.

    ``due`` is when the next attempt is to start, where this rule asked for one.
    """

    FROM_STATES = frozenset({StateType.RUNNING})
    TO_STATES = frozenset({StateType.FAILED})

    due: datetime | None = None

    @override
    async def before_transition(
        self, initial_state: State | None, proposed_state: State, context: ContextT
    ) -> None:
        retries, run_count = context.run_settings.retries, context.run.run_count
        if retries is None or run_count > retries:
            return
        self.due = due = _next_attempt(context)
        await self.reject_transition(
            AwaitingRetry(
                due,
                timestamp=proposed_state.timestamp,
                message=proposed_state.message,
                data=proposed_state.data,
            ),
            f"Attempt {run_count} of {retries + 1} failed; the next is due at"
            f" {due:%Y-%m-%d %H:%M:%S} UTC.",
            DecisionCode.RETRY,
        )


def _next_attempt(context: GenericOrchestrationContext) -> datetime:
    """Now and the run's retry delay, or the latest moment there is where that is sooner."""
    try:
        due = context.now + timedelta(seconds=context.run_settings.retry_delay or 0)
    except OverflowError:
        return LATEST
    return min(due, LATEST)
