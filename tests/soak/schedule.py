"""Faults one after another, at even distances, with a note of each."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from deploy.servers import ServerError
from tests.soak.faults import FAULTS, Fault, Site


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault that was made, in seconds since the start; ``error`` where it could not be."""

    name: str
    began: float
    ended: float
    error: str | None = None


@dataclass(slots=True)
class Schedule:
    """Makes a fault every so many seconds until ``until``; 0 seconds make none.

    ``clock`` tells the seconds since the start. Each fault leaves as much time behind it, before
    the end, as there is between two.
    """

    every: float
    until: float
    clock: Callable[[], float] = time.monotonic
    faults: Sequence[Fault] = FAULTS
    made: list[FaultSpan] = field(default_factory=list)

    async def run(self, site: Site) -> None:
        """Make faults until none fits any more, or cancelled."""
        if not self.every:
            return
        due = self.clock()
        for fault in cycle(self.faults):
            due += self.every
            if due + self.every > self.until:
                return
            await asyncio.sleep(due - self.clock())
            began, error = self.clock(), None
            try:
                await fault.make(site)
            except ServerError as problem:
                error = str(problem)
            self.made.append(FaultSpan(fault.name, began, self.clock(), error))
            due = max(due, self.clock() - self.every)
