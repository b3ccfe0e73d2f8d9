"""A flow run that failed is tried again, with its failed task runs where the client is old."""

import re
from datetime import datetime
from typing import Any

from typing_extensions import override

from rules.context import FlowOrchestrationContext
from rules.core.retry_failed_runs import RetryFailedRuns
from rules.forcing import force_task_run
from rules.states import AwaitingRetry, State

_TASKS_RETRY_THEMSELVES_SINCE = (0, 8, 3)
_VERSION = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")


class RetryFailedFlows(RetryFailedRuns[FlowOrchestrationContext]):
    """Rejects a flow run's FAILED into AwaitingRetry while it has retries left.

    Clients before 0.8.3, by the parameter ``api-version``, expect their failed task runs to await
    the retry too: these are forced into it, due at the same time.
    """

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: FlowOrchestrationContext,
    ) -> None:
        if self.due is not None and _is_old(context.parameters.get("api-version")):
            await self._force_failed_task_runs(self.due)

    async def _force_failed_task_runs(self, due: datetime) -> None:
        context = self.context
        for task_run in await context.session.failed_task_runs(context.run.id):
            await force_task_run(context, task_run, AwaitingRetry(due, timestamp=context.now))
            task_run.run_count = 0


def _is_old(version: Any) -> bool:
    """Whether a client's version is known and below 0.8.3; what follows the numbers is ignored."""
    numbers = _VERSION.match(version) if isinstance(version, str) else None
    if numbers is None:
        return False
    return tuple(int(number or 0) for number in numbers.groups()) < _TASKS_RETRY_THEMSELVES_SINCE
