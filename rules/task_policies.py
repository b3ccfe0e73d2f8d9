"""What task runs go through."""

from collections.abc import Sequence

from typing_extensions import override

from rules.bookkeeping.count_runs import IncrementRunCount, IncrementRunTime
from rules.bookkeeping.set_run_state import SetRunStateName, SetRunStateTimestamp, SetRunStateType
from rules.bookkeeping.set_scheduled_times import SetExpectedStartTime, SetNextScheduledStartTime
from rules.bookkeeping.set_start_and_end_time import SetEndTime, SetStartTime
from rules.bookkeeping.update_state_details import UpdateStateDetails
from rules.core.cache_insertion import CacheInsertion
from rules.core.cache_retrieval import CacheRetrieval
from rules.core.handle_task_terminal_state_transitions import HandleTaskTerminalStateTransitions
from rules.core.prevent_redundant_transitions import PreventRedundantTransitions
from rules.core.release_task_concurrency_slots import ReleaseTaskConcurrencySlots
from rules.core.rename_reruns import RenameReruns
from rules.core.retry_failed_tasks import RetryFailedTasks
from rules.core.secure_task_concurrency_slots import SecureTaskConcurrencySlots
from rules.core.update_flow_run_tracker_on_tasks import UpdateFlowRunTrackerOnTasks
from rules.core.wait_for_scheduled_time import WaitForScheduledTime
from rules.policy import BaseOrchestrationPolicy, RuleOrTransform


class CoreTaskPolicy(BaseOrchestrationPolicy):
    """The rules of every task run that is not forced."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (
            CacheRetrieval,
            HandleTaskTerminalStateTransitions,
            PreventRedundantTransitions,
            SecureTaskConcurrencySlots,
            WaitForScheduledTime,
            RetryFailedTasks,
            RenameReruns,
            UpdateFlowRunTrackerOnTasks,
            CacheInsertion,
            ReleaseTaskConcurrencySlots,
        )


class MinimalTaskPolicy(BaseOrchestrationPolicy):
    """What not even a forced task run escapes."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (ReleaseTaskConcurrencySlots,)


class GlobalTaskPolicy(BaseOrchestrationPolicy):
    """The bookkeeping on every task run."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (
            SetRunStateType,
            SetRunStateName,
            SetRunStateTimestamp,
            SetStartTime,
            SetEndTime,
            IncrementRunTime,
            IncrementRunCount,
            SetExpectedStartTime,
            SetNextScheduledStartTime,
            UpdateStateDetails,
        )
