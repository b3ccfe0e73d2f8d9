"""What the suites over several kinds of storage ask of each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue

from rules.runs import Run
from rules.session import TransactionalSession
from rules.states import State


class Storage(Protocol):
    """Something that sessions can be opened on, one after the other, empty at first."""

    def transaction(
        self, run_ids: Collection[UUID], *, new_runs: Iterable[Run] = ()
    ) -> AbstractAsyncContextManager[TransactionalSession]:
        """A session for requests on these runs, of which ``new_runs`` are to be made if unknown.

        Committed at the end of the block, rolled back where an error leaves it.
        """

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        """Set the concurrency limits of these tags, outside all sessions."""

    async def states(self, run_id: UUID) -> Sequence[State]:
        """The committed states of a run, in the order in which they were written."""

    async def artifacts(self, run_id: UUID) -> Sequence[JsonValue]:
        """The committed artifacts of a run, in the order in which they were written."""
