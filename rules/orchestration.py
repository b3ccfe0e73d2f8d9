"""One proposal through one policy."""

from typing import Any, TypeAlias

import structlog

from rules.context import OrchestrationContext
from rules.policy import BaseOrchestrationPolicy
from rules.responses import DecisionCode, SetStateStatus, StateAcceptDetails
from rules.rule import BaseOrchestrationRule
from rules.runs import TaskRun
from rules.transform import BaseUniversalTransform

log = structlog.get_logger(__name__)

_NOTHING_KEPT = frozenset({SetStateStatus.WAIT, SetStateStatus.ABORT})

Policy: TypeAlias = type[BaseOrchestrationPolicy]
_Entered: TypeAlias = list[BaseOrchestrationRule[Any] | BaseUniversalTransform[Any]]


async def govern(
    context: OrchestrationContext[Any, Any], policy: Policy, global_policy: Policy
) -> None:
    """Govern one request; the answer stands in the context.

    All that it changed is undone where the answer is WAIT or ABORT, and where an error leaves a
    hook. That the run was made for the request is not: it came before.

    Raises:
        Exception: what left an ``after_transition`` or a ``cleanup``, or a passing error of
            storage: the request is to be governed again. After a passing one the whole
            transaction is, so that nothing is undone in it.
    """
    await _begin(context)
    try:
        await orchestrate(context, policy, global_policy)
    except Exception as error:
        if not context.session.is_transient(error):
            await context.session.undo_request()
        raise
    if context.response_status in _NOTHING_KEPT:
        await context.session.undo_request()
        context.also_changed.clear()


async def orchestrate(
    context: OrchestrationContext[Any, Any], policy: Policy, global_policy: Policy
) -> None:
    """Enter the policy's rules in order and the global transforms, validate, exit in reverse."""
    proposed = context.proposed_state_type
    if proposed is None:
        context.response_details = StateAcceptDetails(DecisionCode.NOTHING_PROPOSED)
        await context.validate_proposed_state()
        return
    initial = context.initial_state_type
    entered: _Entered = []
    try:
        for chosen in (policy, global_policy):
            for build in chosen.compile_transition_rules(initial, proposed):
                entry = build(context, initial, proposed)
                if isinstance(entry, BaseOrchestrationRule) or entry.acts_on_exit():
                    entered.append(entry)
                await entry.__aenter__()
        await context.validate_proposed_state()
        while entered:
            await entered.pop().__aexit__(None, None, None)
    except Exception as error:
        await _clean_up(entered, error)
        raise


async def _begin(context: OrchestrationContext[Any, Any]) -> None:
    """Let the run belong to the request from now on: it does once the session hands it out."""
    session, run = context.session, context.run
    session.begin_request()
    hand_out = session.task_run if isinstance(run, TaskRun) else session.flow_run
    await hand_out(run.id)


async def _clean_up(entered: _Entered, error: Exception) -> None:
    """Let what was entered and not yet left take its side effects back.

    A second failure is only told: the first says what is to be done about the request.
    """
    while entered:
        entry = entered.pop()
        try:
            await entry.__aexit__(type(error), error, error.__traceback__)
        except Exception:
            log.exception("cleanup-failed", rule=type(entry).__name__)
