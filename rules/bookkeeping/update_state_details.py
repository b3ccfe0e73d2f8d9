"""A state says whose it is."""

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.runs import TaskRun
from rules.transform import GenericUniversalTransform


class UpdateStateDetails(GenericUniversalTransform):
    """Writes the ids of the flow run and of the task run into the proposed state's details."""

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        run, proposed = context.run, context.proposed_state
        if proposed is None:
            return
        if isinstance(run, TaskRun):
            owners = {"flow_run_id": run.flow_run_id, "task_run_id": run.id}
        else:
            owners = {"flow_run_id": run.id, "task_run_id": None}
        context.proposed_state = proposed.with_details(owners)
