"""A run, what became of the requests on it, and the limits that bear on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consumer.explaining.attempts import Attempt, attempts_of
from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import list_letters
from persistence.history import run_history
from persistence.limits import Limit, list_limits
from rules.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is on record of a run, as it was at ``now``.

    ``run`` is None where there is none. ``attempts`` are in the order of their decisions;
    ``limits`` are those of the run's tags.
    """

    run_id: UUID
    run: Run | None
    attempts: Sequence[Attempt]
    limits: Sequence[Limit]
    now: datetime

    def held_limits(self) -> list[Limit]:
        """The limits of which the run holds a slot."""
        return [limit for limit in self.limits if self._holds(limit)]

    def full_limits(self) -> list[Limit]:
        """The limits of which the run holds no slot and none is free."""
        return [
            limit
            for limit in self.limits
            if len(limit.holders) >= limit.slots and not self._holds(limit)
        ]

    def is_state_its_own(self) -> bool:
        """Whether the run's present state, if it has one, was written by a request on it.

        A parent task run follows its subflow, and task runs can be forced along with their flow
        run.
        """
        if self.run is None or self.run.state is None:
            return True
        written = (each.body.get("state") for each in self.attempts)
        return str(self.run.state_id) in {state["id"] for state in written if state}

    def _holds(self, limit: Limit) -> bool:
        return self.run_id in {holder.task_run_id for holder in limit.holders}


async def story_of(database: Database, run_id: UUID, now: datetime) -> Story:
    """All that is on record of the run with that id."""
    # Letters first: what is decided in between is then found as decided.
    letters = await list_letters(database, LetterFilter(run_id=run_id))
    history = await run_history(database, run_id)
    tags = history.run.tags if history.run is not None else ()
    return Story(
        run_id=run_id,
        run=history.run,
        attempts=attempts_of(history, reversed(letters), now),
        limits=await list_limits(database, *tags) if tags else (),
        now=now,
    )
