"""What traces are replayed over."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from rules.states import State
from tests.conformance.traces import Step, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a step.

    ``status`` is ACCEPT, REJECT, WAIT or ABORT. ``state`` is what was written. ``run`` and
    ``parent_task`` have the fields of a decision's ``run``, as they are after the step; times are
    datetimes or RFC 3339. ``now`` is the moment of the step.
    """

    status: str
    code: str | None
    delay_seconds: float | None
    state: State | None
    run: Mapping[str, Any]
    parent_task: Mapping[str, Any] | None
    now: datetime


class World(Protocol):
    """A trace's limits and runs, set up."""

    async def propose(self, step: Step) -> Outcome:
        """Propose the step's state for its run, and wait for what comes of it."""


class Backend(Protocol):
    """Something that can set worlds up; they must not get in each other's way.

    ``at_once``: how many worlds there may be at a time.
    """

    @property
    def at_once(self) -> int: ...

    def world(self, trace: Trace) -> AbstractAsyncContextManager[World]:
        """Set up the trace's world; it is left when the trace is over."""
