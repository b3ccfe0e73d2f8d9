"""What flow runs go through."""

from collections.abc import Sequence

from typing_extensions import override

from rules.bookkeeping.subflows import UpdateSubflowParentTask, UpdateSubflowStateDetails
from rules.core.handle_flow_terminal_state_transitions import HandleFlowTerminalStateTransitions
from rules.core.prevent_redundant_transitions import PreventRedundantTransitions
from rules.core.retry_failed_flows import RetryFailedFlows
from rules.core.wait_for_scheduled_time import WaitForScheduledTime
from rules.policy import BaseOrchestrationPolicy, RuleOrTransform
from rules.task_policies import GlobalTaskPolicy


class CoreFlowPolicy(BaseOrchestrationPolicy):
    """The rules of every flow run that is not forced."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (
            HandleFlowTerminalStateTransitions,
            PreventRedundantTransitions,
            WaitForScheduledTime,
            RetryFailedFlows,
        )


class MinimalFlowPolicy(BaseOrchestrationPolicy):
    """No rules: a forced flow run becomes whatever was proposed."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return ()


class GlobalFlowPolicy(BaseOrchestrationPolicy):
    """The bookkeeping on every flow run: that of task runs, and what ties it to its parent."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (*GlobalTaskPolicy.priority(), UpdateSubflowStateDetails, UpdateSubflowParentTask)
