"""Rules and transforms that tell which of their hooks were called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from rules.context import GenericOrchestrationContext
from rules.rule import ANY_STATE, GenericOrchestrationRule
from rules.states import State
from rules.transform import GenericUniversalTransform


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a recording rule or transform does in its hooks, given itself; nothing if not said."""

    before: Callable[[Any], Awaitable[None]] | None = None
    after: Callable[[Any], Awaitable[None]] | None = None
    cleanup: Callable[[Any], Awaitable[None]] | None = None


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
