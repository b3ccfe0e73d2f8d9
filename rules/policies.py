"""Pointsman's own policies, by the names that settings use."""

from rules.flow_policies import CoreFlowPolicy, GlobalFlowPolicy, MinimalFlowPolicy
from rules.task_policies import CoreTaskPolicy, GlobalTaskPolicy, MinimalTaskPolicy

__all__ = [
    "CoreFlowPolicy",
    "CoreTaskPolicy",
    "GlobalFlowPolicy",
    "GlobalTaskPolicy",
    "MinimalFlowPolicy",
    "MinimalTaskPolicy",
]
