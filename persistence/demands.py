"""What a session is opened for."""

from dataclasses import dataclass
from uuid import UUID

from rules.runs import Run, RunKind
from rules.states import StateType


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one request needs to have at hand.

    A request that can't be read has no run, only its record. ``create`` is how its run is made
    where it is unknown. ``from_ladder`` asks for the records of the attempt before and of the
    first one, and for what was counted as begun. ``forces_task_runs``: the flow run's FAILED task
    runs are to be changed too, so they are locked with the rest.
    """

    run_id: UUID | None = None
    kind: RunKind | None = None
    create: Run | None = None
    request_id: str | None = None
    attempt: int = 0
    from_ladder: bool = False
    cache_key: str | None = None
    proposes: StateType | None = None
    forces_task_runs: bool = False
