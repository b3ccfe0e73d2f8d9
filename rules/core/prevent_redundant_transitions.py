"""A run makes no step back and none on the spot."""

from types import MappingProxyType

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.responses import DecisionCode
from rules.rule import GenericOrchestrationRule
from rules.states import State, StateType

_PROGRESS = MappingProxyType(
    {None: 0, StateType.SCHEDULED: 1, StateType.PENDING: 2, StateType.RUNNING: 3}
)


class PreventRedundantTransitions(GenericOrchestrationRule):
    """Aborts what is no step forward on the way from no state to SCHEDULED, PENDING, RUNNING."""

    FROM_STATES = frozenset(_PROGRESS)
    TO_STATES = frozenset(_PROGRESS)

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: GenericOrchestrationContext,
    ) -> None:
        reached = context.initial_state_type
        if _PROGRESS[proposed_state.type] <= _PROGRESS[reached]:
            await self.abort_transition(
                f"The run is {reached} already; {proposed_state.type} would be no step forward.",
                DecisionCode.REDUNDANT,
            )
