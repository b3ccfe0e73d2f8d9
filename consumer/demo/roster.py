"""Who is who: the story knows runs by name, Pointsman by id."""

from uuid import UUID

from rules.identifiers import uuid7


class Roster:
    """Gives each run of one showing an id, and knows it by that again."""

    def __init__(self) -> None:
        self._ids: dict[str, UUID] = {}
        self._names: dict[UUID, str] = {}

    def id_of(self, name: str) -> UUID:
        """The run's id, made when it is first asked for."""
        if name not in self._ids:
            run_id = uuid7()
            self._ids[name], self._names[run_id] = run_id, name
        return self._ids[name]

    def name_of(self, run_id: UUID) -> str | None:
        """What the story calls the run, None where it is none of the story's."""
        return self._names.get(run_id)
