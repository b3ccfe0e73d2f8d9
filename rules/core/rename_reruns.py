"""A run that runs again says so by the name of its state."""

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.rule import ANY_STATE, TaskRunOrchestrationRule
from rules.states import State, StateName, StateType


class RenameReruns(TaskRunOrchestrationRule):
    """Names RUNNING anew where the run ran before: Retrying after AwaitingRetry, else Rerunning."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        if context.run.run_count > 0:
            awaited = initial_state is not None and initial_state.name == StateName.AWAITING_RETRY
            await self.rename_state(StateName.RETRYING if awaited else StateName.RERUNNING)
