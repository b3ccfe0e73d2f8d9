"""States and artifacts that a batch writes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.schema import ArtifactRow, RunStateRow, table_of
from persistence.translation import state_row
from rules.states import State

_WRITE_STATES = insert(table_of(RunStateRow))
_WRITE_ARTIFACTS = insert(table_of(ArtifactRow))


class StateLog:
    """What is to be written, in order."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._states: list[tuple[UUID, int, State]] = []
        self._artifacts: list[tuple[UUID, State]] = []
        self.begin()

    def add_state(self, run_id: UUID, version: int, state: State) -> None:
        """Note a run's state, which makes this version of the run."""
        self._states.append((run_id, version, state))

    def add_artifact(self, run_id: UUID, state: State) -> None:
        """Note that the state's data is kept as an artifact of the run."""
        self._artifacts.append((run_id, state))

    def begin(self) -> None:
        """Let what is added from here on belong to one request."""
        self._marks = len(self._states), len(self._artifacts)

    def undo(self) -> None:
        """Drop what the request added; what of it is written already, a rollback takes back."""
        states, artifacts = self._marks
        del self._states[states:]
        del self._artifacts[artifacts:]

    async def write(self, now: datetime, *, earlier: bool) -> None:
        """Write what was added, or only what was before the present request."""
        ends = self._marks if earlier else (len(self._states), len(self._artifacts))
        states, self._states = self._states[: ends[0]], self._states[ends[0] :]
        artifacts, self._artifacts = self._artifacts[: ends[1]], self._artifacts[ends[1] :]
        self._marks = (0, 0)
        if states:
            kept = {state.id for _, state in artifacts}
            rows = [state_row(*written, created=now) for written in states]
            for row in rows:
                if row["id"] in kept:
                    row["data"] = None
            await self._connection.execute(_WRITE_STATES, rows)
        if artifacts:
            await self._connection.execute(
                _WRITE_ARTIFACTS,
                [
                    {"state_id": state.id, "run_id": run_id, "data": state.data, "created": now}
                    for run_id, state in artifacts
                ],
            )
