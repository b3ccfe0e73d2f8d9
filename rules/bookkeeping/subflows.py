"""A subflow's run and the task run that stands for it in its parent go the same way."""

from typing_extensions import override

from rules.context import FlowOrchestrationContext
from rules.forcing import force_task_run
from rules.identifiers import uuid7
from rules.transform import FlowRunUniversalTransform


class UpdateSubflowStateDetails(FlowRunUniversalTransform):
    """Writes the parent task run's id into the details of a subflow's state."""

    @override
    async def before_transition(self, context: FlowOrchestrationContext) -> None:
        parent_id, proposed = context.run.parent_task_run_id, context.proposed_state
        if proposed is not None and parent_id is not None:
            context.proposed_state = proposed.with_details({"task_run_id": parent_id})


class UpdateSubflowParentTask(FlowRunUniversalTransform):
    """Forces the parent task run into the state that was written for the subflow."""

    @override
    async def after_transition(self, context: FlowOrchestrationContext) -> None:
        parent_id, written = context.run.parent_task_run_id, context.written_state
        if written is None or parent_id is None:
            return
        parent = await context.session.task_run(parent_id)
        if parent is not None:
            state = written.with_details({"child_flow_run_id": context.run.id})
            await force_task_run(context, parent, state.revised(id=uuid7()))
