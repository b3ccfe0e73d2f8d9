"""A flow run that has ended runs again only as a retry that somebody will start."""

from typing_extensions import override

from rules.context import FlowOrchestrationContext
from rules.responses import DecisionCode
from rules.rule import ANY_STATE, FINAL, FlowRunOrchestrationRule
from rules.states import State, StateName


class HandleFlowTerminalStateTransitions(FlowRunOrchestrationRule):
    """Lets a flow run that has ended await a retry if it has a deployment, and aborts all else."""

    FROM_STATES = FINAL
    TO_STATES = ANY_STATE

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: FlowOrchestrationContext,
    ) -> None:
        awaits_retry = (
            proposed_state.is_scheduled() and proposed_state.name == StateName.AWAITING_RETRY
        )
        if not awaits_retry:
            await self.abort_transition(
                f"The flow run has ended as {context.initial_state_type} and can't become"
                f" {proposed_state.type}.",
                DecisionCode.TERMINAL,
            )
        elif context.run.deployment_id is None:
            await self.abort_transition(
                "The flow run belongs to no deployment, so that nothing would start its retry.",
                DecisionCode.NO_DEPLOYMENT,
            )
