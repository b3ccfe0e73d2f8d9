"""Which dead letters are meant."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from persistence.schema import DeadLetterRow, LetterStatus, table_of

_LETTER = table_of(DeadLetterRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters: all, less those that differ from what is set.

    ``died_before`` and ``died_since`` bound the time of death. ``replayable`` are those that can
    be published as a request, or with False those that can't.
    """

    ids: tuple[UUID, ...] | None = None
    statuses: tuple[LetterStatus, ...] = ()
    reason: str | None = None
    request_id: str | None = None
    run_id: UUID | None = None
    died_before: datetime | None = None
    died_since: datetime | None = None
    replayable: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL."""
        columns = _LETTER.c
        wanted = {
            columns.reason: self.reason,
            columns.request_id: self.request_id,
            columns.run_id: self.run_id,
        }
        found: list[ColumnElement[bool]] = [
            column == value for column, value in wanted.items() if value is not None
        ]
        if self.ids is not None:
            found.append(columns.id.in_(self.ids))
        if self.statuses:
            found.append(columns.status.in_(self.statuses))
        if self.died_before is not None:
            found.append(columns.dead_at < self.died_before)
        if self.died_since is not None:
            found.append(columns.dead_at >= self.died_since)
        if self.replayable is not None:
            found.append(_IS_REPLAYABLE if self.replayable else ~_IS_REPLAYABLE)
        return found


EVERY_LETTER = LetterFilter()

_IS_REPLAYABLE = or_(_LETTER.c.request_id.is_not(None), _LETTER.c.edited_body.is_not(None))
