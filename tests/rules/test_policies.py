"""Pointsman's own policies list what they should, in order."""

import pytest

from rules import BaseOrchestrationPolicy
from rules.policies import (
    CoreFlowPolicy,
    CoreTaskPolicy,
    GlobalFlowPolicy,
    GlobalTaskPolicy,
    MinimalFlowPolicy,
    MinimalTaskPolicy,
)

BOOKKEEPING = [
    "SetRunStateType",
    "SetRunStateName",
    "SetRunStateTimestamp",
    "SetStartTime",
    "SetEndTime",
    "IncrementRunTime",
    "IncrementRunCount",
    "SetExpectedStartTime",
    "SetNextScheduledStartTime",
    "UpdateStateDetails",
]


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (
            CoreFlowPolicy,
            [
                "HandleFlowTerminalStateTransitions",
                "PreventRedundantTransitions",
                "WaitForScheduledTime",
                "RetryFailedFlows",
            ],
        ),
        (
            CoreTaskPolicy,
            [
                "CacheRetrieval",
                "HandleTaskTerminalStateTransitions",
                "PreventRedundantTransitions",
                "SecureTaskConcurrencySlots",
                "WaitForScheduledTime",
                "RetryFailedTasks",
                "RenameReruns",
                "UpdateFlowRunTrackerOnTasks",
                "CacheInsertion",
                "ReleaseTaskConcurrencySlots",
            ],
        ),
        (MinimalFlowPolicy, []),
        (MinimalTaskPolicy, ["ReleaseTaskConcurrencySlots"]),
        (GlobalTaskPolicy, BOOKKEEPING),
        (
            GlobalFlowPolicy,
            [*BOOKKEEPING, "UpdateSubflowStateDetails", "UpdateSubflowParentTask"],
        ),
    ],
)
def test_a_policy_lists_its_rules_in_order(
    policy: type[BaseOrchestrationPolicy], names: list[str]
) -> None:
    assert [entry.__name__ for entry in policy.priority()] == names
