"""Of the task runs with a limited tag, only so many run at a time."""

from collections.abc import Iterable, Mapping

from typing_extensions import override

from rules.context import TaskOrchestrationContext
from rules.responses import DecisionCode
from rules.rule import ANY_STATE, TaskRunOrchestrationRule
from rules.states import State, StateType


class SecureTaskConcurrencySlots(TaskRunOrchestrationRule):
    """Takes a slot of each of the task run's limited tags before it runs, or of none.

    Aborts at a limit of 0, delays where no slot is free. What the run holds already it keeps and
    does not take again.
    """

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    _taken: frozenset[str] = frozenset()

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        session, run = context.session, context.run
        limits = await session.concurrency_limits(run.tags) if run.tags else {}
        if not limits:
            return
        if shut := [tag for tag, limit in limits.items() if limit == 0]:
            await self.abort_transition(
                f"No task run may run with the tag {_named(shut, limits)}.",
                DecisionCode.LIMIT_ZERO,
            )
            return
        wanted = limits.keys() - await session.slots_held(run.id)
        holders = await session.slots_taken(wanted) if wanted else {}
        if full := [tag for tag in wanted if holders.get(tag, 0) >= limits[tag]]:
            seconds = context.settings.slot_delay_seconds
            await self.delay_transition(
                seconds,
                f"All slots of the tag {_named(full, limits)} are taken; to be asked again in"
                f" {seconds} s.",
                DecisionCode.LIMIT_REACHED,
            )
            return
        self._taken = frozenset(wanted)
        session.take_slots(run.id, self._taken)

    @override
    async def cleanup(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        context.session.release_slots(context.run.id, self._taken)


def _named(tags: Iterable[str], limits: Mapping[str, int]) -> str:
    return ", ".join(f"{tag!r} (limit {limits[tag]})" for tag in sorted(tags))
