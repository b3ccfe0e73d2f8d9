"""A task run that failed is tried again."""

from rules.context import TaskOrchestrationContext
from rules.core.retry_failed_runs import RetryFailedRuns


class RetryFailedTasks(RetryFailedRuns[TaskOrchestrationContext]):
    """Rejects a task run's FAILED into AwaitingRetry while it has retries left."""
