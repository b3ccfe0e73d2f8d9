"""A task run that has ended runs again only in a new run of its flow."""

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.responses import DecisionCode
from rules.rule import ANY_STATE, FINAL, TaskRunOrchestrationRule
from rules.states import State, StateName, StateType

_MAY_RUN_AGAIN = frozenset({StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})


class HandleTaskTerminalStateTransitions(TaskRunOrchestrationRule):
    """Lets an unsuccessful task run start anew where its flow run has, and aborts all else.

    The run count is set to 0 then, so that retries count anew.
    """

    FROM_STATES = FINAL
    TO_STATES = ANY_STATE

    _replaced_run_count: int | None = None

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        ended_as = context.initial_state_type
        if not proposed_state.is_running() or ended_as not in _MAY_RUN_AGAIN:
            await self.abort_transition(
                f"The task run has ended as {ended_as} and can't become {proposed_state.type}.",
                DecisionCode.TERMINAL,
            )
        elif not await _has_flow_run_started_anew(context):
            await self.abort_transition(
                f"The task run has ended as {ended_as}; it can run again only in a new run of its"
                " flow.",
                DecisionCode.TERMINAL,
            )
        else:
            self._replaced_run_count = context.run.run_count
            context.run.run_count = 0
            await self.rename_state(StateName.RETRYING)

    @override
    async def cleanup(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        if self._replaced_run_count is not None:
            context.run.run_count = self._replaced_run_count


async def _has_flow_run_started_anew(context: TaskOrchestrationContext) -> bool:
    flow_run = await context.flow_run()
    return flow_run is not None and context.run.flow_run_run_count < flow_run.run_count
