"""The decision engine: whether a run may change its state.

What is named here is what programs and users' own rules build on; ``rules.policies`` has
Pointsman's own policies.
"""

from rules.context import (
    FlowOrchestrationContext,
    GenericOrchestrationContext,
    OrchestrationContext,
    OrchestrationSettings,
    TaskOrchestrationContext,
)
from rules.errors import RulesError
from rules.orchestration import govern
from rules.policy import BaseOrchestrationPolicy
from rules.responses import (
    DecisionCode,
    SetStateStatus,
    StateAbortDetails,
    StateAcceptDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from rules.rule import (
    ANY_STATE,
    BaseOrchestrationRule,
    FlowRunOrchestrationRule,
    GenericOrchestrationRule,
    TaskRunOrchestrationRule,
)
from rules.runs import FlowRun, Run, RunKind, RunPolicy, TaskRun
from rules.session import TransactionalSession
from rules.states import State, StateDetails, StateType
from rules.transform import (
    BaseUniversalTransform,
    FlowRunUniversalTransform,
    GenericUniversalTransform,
    TaskRunUniversalTransform,
)

__all__ = [
    "ANY_STATE",
    "BaseOrchestrationPolicy",
    "BaseOrchestrationRule",
    "BaseUniversalTransform",
    "DecisionCode",
    "FlowOrchestrationContext",
    "FlowRun",
    "FlowRunOrchestrationRule",
    "FlowRunUniversalTransform",
    "GenericOrchestrationContext",
    "GenericOrchestrationRule",
    "GenericUniversalTransform",
    "OrchestrationContext",
    "OrchestrationSettings",
    "RulesError",
    "Run",
    "RunKind",
    "RunPolicy",
    "SetStateStatus",
    "State",
    "StateAbortDetails",
    "StateAcceptDetails",
    "StateDetails",
    "StateRejectDetails",
    "StateType",
    "StateWaitDetails",
    "TaskOrchestrationContext",
    "TaskRun",
    "TaskRunOrchestrationRule",
    "TaskRunUniversalTransform",
    "TransactionalSession",
    "govern",
]
