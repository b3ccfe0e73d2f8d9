"""Rules and transforms that tell which of their hooks were called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.rule import ANY_STATE, GenericOrchestrationRule
from rules.states import State
from rules.transform import GenericUniversalTransform

Hook = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a recording rule or transform does in its hooks, given itself; nothing if not said."""

    before: Hook | None = None
    after: Hook | None = None
    cleanup: Hook | None = None


def rejecting(state: State | None) -> Hook:
    """Rejects into the state, code ``no``."""

    async def reject(rule: Any) -> None:
        await rule.reject_transition(state, "No.", "no")

    return reject


def raising(error: BaseException) -> Hook:
    """Raises the error."""

    async def fail(_entry: Any) -> None:
        raise error

    return fail


async def delay(rule: Any) -> None:
    """Delays by 12.2 seconds, code ``later``."""
    await rule.delay_transition(12.2, "Not yet.", "later")


async def abort(rule: Any) -> None:
    """Aborts, code ``never``."""
    await rule.abort_transition("Never.", "never")


@dataclass(slots=True)
class Recorder:
    """Makes rules and transforms that note each call in ``calls``, as ``Name.hook``."""

    calls: list[str] = field(default_factory=list)

    def rule(
        self, name: str, hooks: Hooks = Hooks(), **attributes: Any
    ) -> type[GenericOrchestrationRule]:
        """A rule for every transition, if ``attributes`` don't say otherwise."""
        namespace = {"calls": self.calls, "hooks": hooks, **attributes}
        return type(name, (_RecordingRule,), namespace)

    def transform(self, name: str, hooks: Hooks = Hooks()) -> type[GenericUniversalTransform]:
        """A transform."""
        return type(name, (_RecordingTransform,), {"calls": self.calls, "hooks": hooks})


class _RecordingRule(GenericOrchestrationRule):
    FROM_STATES = ANY_STATE
    TO_STATES = ANY_STATE

    calls: ClassVar[list[str]]
    hooks: ClassVar[Hooks]

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: GenericOrchestrationContext,
    ) -> None:
        self.calls.append(f"{type(self).__name__}.before")
        if self.hooks.before is not None:
            await self.hooks.before(self)

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: GenericOrchestrationContext,
    ) -> None:
        self.calls.append(f"{type(self).__name__}.after")
        if self.hooks.after is not None:
            await self.hooks.after(self)

    @override
    async def cleanup(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: GenericOrchestrationContext,
    ) -> None:
        self.calls.append(f"{type(self).__name__}.cleanup")
        if self.hooks.cleanup is not None:
            await self.hooks.cleanup(self)


class _RecordingTransform(GenericUniversalTransform):
    calls: ClassVar[list[str]]
    hooks: ClassVar[Hooks]

    @override
    async def before_transition(self, context: GenericOrchestrationContext) -> None:
        self.calls.append(f"{type(self).__name__}.before")
        if self.hooks.before is not None:
            await self.hooks.before(self)

    @override
    async def after_transition(self, context: GenericOrchestrationContext) -> None:
        self.calls.append(f"{type(self).__name__}.after")
        if self.hooks.after is not None:
            await self.hooks.after(self)
