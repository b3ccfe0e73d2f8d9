"""A task run knows in which run of its flow it ran last."""

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.rule import ANY_STATE, TaskRunOrchestrationRule
from rules.states import State, StateType


class UpdateFlowRunTrackerOnTasks(TaskRunOrchestrationRule):
    """Copies the flow run's run count onto the task run that starts running, if it has one."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        flow_run = await context.flow_run()
        if flow_run is not None:
            context.run.flow_run_run_count = flow_run.run_count
