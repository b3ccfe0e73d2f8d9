"""What the in-memory store keeps."""

from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import JsonValue

from rules.runs import Run
from rules.states import State


@dataclass(frozen=True, slots=True)
class WrittenState:
    run_id: UUID
    state: State


@dataclass(frozen=True, slots=True)
class Artifact:
    run_id: UUID
    data: JsonValue


@dataclass(frozen=True, slots=True)
class CachedState:
    """A state under a cache key, until ``expiration`` or for ever."""

    cache_key: str
    state: State
    expiration: datetime | None


@dataclass(frozen=True, slots=True)
class Slot:
    tag: str
    holder: UUID


@dataclass(slots=True)
class Tables:
    """The rows, those of the lists in the order in which they were written."""

    runs: dict[UUID, Run] = field(default_factory=dict)
    states: list[WrittenState] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    slots: set[Slot] = field(default_factory=set)
    cached_states: list[CachedState] = field(default_factory=list)

    def copy(self) -> Self:
        """Tables that can be changed without changing these."""
        return type(self)(
            runs={run_id: copy(run) for run_id, run in self.runs.items()},
            states=self.states.copy(),
            artifacts=self.artifacts.copy(),
            limits=self.limits.copy(),
            slots=self.slots.copy(),
            cached_states=self.cached_states.copy(),
        )
