"""A task run that no longer runs holds no slot."""

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.states import StateType
from rules.transform import TaskRunUniversalTransform

_KEEPS_SLOTS = frozenset({StateType.RUNNING, StateType.CANCELLING})


class ReleaseTaskConcurrencySlots(TaskRunUniversalTransform):
    """Gives back the slots of a task run that was validated into another state than RUNNING.

    A run that is CANCELLING still runs and keeps its slots until it has ended. This is a transform
    that policies list among their rules: as a rule it would fizzle where another one replaced the
    proposal, just when a retry has to let its slots go.
    """

    @override
    async def after_transition(self, context: TaskOrchestrationContext) -> None:
        if self.nullified_transition() or context.validated_state_type in _KEEPS_SLOTS:
            return
        if not context.run.tags:  # a slot is one of a run's own tags
            return
        held = await context.session.slots_held(context.run.id)
        if held:
            context.session.release_slots(context.run.id, held)
