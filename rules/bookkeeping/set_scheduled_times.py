"""When a run was to start at first, and when it is to start next."""

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.transform import GenericUniversalTransform


class SetExpectedStartTime(GenericUniversalTransform):
    """Set once: the scheduled time of a first SCHEDULED state, else the first state's timestamp."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        proposed, run = context.proposed_state, context.run
        if proposed is None or run.expected_start_time is not None:
            return
        scheduled = proposed.state_details.scheduled_time if proposed.is_scheduled() else None
        run.expected_start_time = scheduled or proposed.timestamp


class SetNextScheduledStartTime(GenericUniversalTransform):
    """The scheduled time, as long as the run is SCHEDULED."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        initial, proposed = context.initial_state, context.proposed_state
        if proposed is None:
            return
        if proposed.is_scheduled():
            context.run.next_scheduled_start_time = proposed.state_details.scheduled_time
        elif initial is not None and initial.is_scheduled():
            context.run.next_scheduled_start_time = None
