"""Work that was done before is not done again."""

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.identifiers import uuid7
from rules.responses import DecisionCode
from rules.rule import ANY_STATE, TaskRunOrchestrationRule
from rules.states import State, StateName, StateType


class CacheRetrieval(TaskRunOrchestrationRule):
    """Rejects RUNNING into a copy of the COMPLETED state remembered under its cache key."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        cache_key = proposed_state.state_details.cache_key
        if not cache_key:
            return
        cached = await context.session.cached_state(cache_key, context.now)
        if cached is not None:
            await self.reject_transition(
                cached.revised(
                    id=uuid7(), name=str(StateName.CACHED), timestamp=proposed_state.timestamp
                ),
                f"The result remembered under the cache key {cache_key!r} is used again.",
                DecisionCode.CACHED,
            )
