"""What may be used again is remembered."""

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.rule import ANY_STATE, TaskRunOrchestrationRule
from rules.states import State, StateType


class CacheInsertion(TaskRunOrchestrationRule):
    """Remembers a COMPLETED state under its cache key, until its cache expiration."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.COMPLETED})

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        if validated_state is not None and validated_state.state_details.cache_key:
            context.session.remember_state(
                validated_state.state_details.cache_key,
                validated_state,
                validated_state.state_details.cache_expiration,
            )
