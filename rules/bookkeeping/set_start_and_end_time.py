"""When a run started, and when it ended."""

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.transform import GenericUniversalTransform


class SetStartTime(GenericUniversalTransform):
    """The start time is the timestamp of the first RUNNING state."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        proposed = context.proposed_state
        if proposed is not None and proposed.is_running() and context.run.start_time is None:
            context.run.start_time = proposed.timestamp


class SetEndTime(GenericUniversalTransform):
    """The end time is that of the final state, as long as the run is in one and was started."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        proposed, run = context.proposed_state, context.run
        if proposed is None:
            return
        if not proposed.is_final():
            if context.initial_state is not None and context.initial_state.is_final():
                run.end_time = None
        elif run.start_time is not None and run.end_time is None:
            run.end_time = proposed.timestamp
