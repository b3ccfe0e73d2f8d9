"""The run repeats what state it is in."""

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.transform import GenericUniversalTransform


class SetRunStateType(GenericUniversalTransform):
    """Copies the proposed state's type onto the run."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        if context.proposed_state is not None:
            context.run.state_type = context.proposed_state.type


class SetRunStateName(GenericUniversalTransform):
    """Copies the proposed state's name onto the run."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        if context.proposed_state is not None:
            context.run.state_name = context.proposed_state.name


class SetRunStateTimestamp(GenericUniversalTransform):
    """Copies the proposed state's timestamp onto the run."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        if context.proposed_state is not None:
            context.run.state_timestamp = context.proposed_state.timestamp
