"""States and artifacts that a batch writes."""

from datetime import datetime
from uuid import UUID

from persistence.bulk import BulkInsert
from persistence.schema import ArtifactRow, RunStateRow, table_of
from persistence.translation import NEW_STATE_COLUMNS, Values, state_row
from rules.states import State

WRITE_STATES = BulkInsert(table_of(RunStateRow), NEW_STATE_COLUMNS)
WRITE_ARTIFACTS = BulkInsert(table_of(ArtifactRow), ("state_id", "run_id", "data", "created"))


class StateLog:
    """What is to be written, in order."""

    def __init__(self) -> None:
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

    def take(self, now: datetime, *, earlier: bool) -> tuple[list[Values], list[Values]]:
        """The rows of states and of artifacts to be written now, or only the earlier requests'."""
        ends = self._marks if earlier else (len(self._states), len(self._artifacts))
        states, self._states = self._states[: ends[0]], self._states[ends[0] :]
        artifacts, self._artifacts = self._artifacts[: ends[1]], self._artifacts[ends[1] :]
        self._marks = (0, 0)
        kept = {state.id for _, state in artifacts}
        return [
            state_row(run_id, version, state, None if state.id in kept else state.data, now)
            for run_id, version, state in states
        ], [(state.id, run_id, state.data, now) for run_id, state in artifacts]
