"""Runs that are changed along with the governed one."""

from rules.context import GenericOrchestrationContext, TaskOrchestrationContext
from rules.orchestration import orchestrate
from rules.runs import TaskRun
from rules.states import State
from rules.task_policies import GlobalTaskPolicy, MinimalTaskPolicy


async def force_task_run(
    context: GenericOrchestrationContext, task_run: TaskRun, state: State
) -> None:
    """Force a task run into a state, and list it in the context as changed along.

    ``context`` is the governed proposal's own, not a hook's copy of it.
    """
    forced = TaskOrchestrationContext(
        session=context.session,
        run=task_run,
        proposed_state=state,
        now=context.now,
        settings=context.settings,
        client_version=context.client_version,
    )
    await orchestrate(forced, MinimalTaskPolicy, GlobalTaskPolicy)
    if forced.orchestration_error is not None:
        raise forced.orchestration_error
    if not any(known is task_run for known in context.also_changed):
        context.also_changed.append(task_run)
