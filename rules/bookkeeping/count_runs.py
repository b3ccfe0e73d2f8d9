"""How often a run ran, and for how long."""

from datetime import timedelta

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.transform import GenericUniversalTransform


class IncrementRunTime(GenericUniversalTransform):
    """Adds the time spent in a RUNNING state when it is left; a negative span counts nothing."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        initial, proposed = context.initial_state, context.proposed_state
        if proposed is None or initial is None or not initial.is_running():
            return
        span = (proposed.timestamp - initial.timestamp) / timedelta(seconds=1)
        context.run.total_run_time += max(0.0, span)


class IncrementRunCount(GenericUniversalTransform):
    """Counts each RUNNING state entered."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        if context.proposed_state is not None and context.proposed_state.is_running():
            context.run.run_count += 1
