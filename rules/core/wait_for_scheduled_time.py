"""A run waits for its time."""

import math
from datetime import timedelta

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.errors import MissingScheduledTimeError
from rules.responses import DecisionCode
from rules.rule import ANY_STATE, GenericOrchestrationRule
from rules.states import State, StateType

_AS_GOOD_AS_NOW = timedelta(seconds=0.5)


class WaitForScheduledTime(GenericOrchestrationRule):
    """Delays whatever is proposed for a SCHEDULED run until its time, a cancellation too."""

    FROM_STATES = frozenset({StateType.SCHEDULED})
    TO_STATES = ANY_STATE

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: GenericOrchestrationContext,
    ) -> None:
        due = None if initial_state is None else initial_state.state_details.scheduled_time
        if due is None:
            raise MissingScheduledTimeError
        ahead = due - context.now
        if ahead >= _AS_GOOD_AS_NOW:
            seconds = math.ceil(ahead / timedelta(seconds=1))
            await self.delay_transition(
                seconds,
                f"The run is scheduled for {due:%Y-%m-%d %H:%M:%S} UTC, in {seconds} s.",
                DecisionCode.SCHEDULED,
            )
