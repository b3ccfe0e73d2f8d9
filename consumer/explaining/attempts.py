"""Each attempt of the requests on a run: what is on record of it, and what comes of it now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from persistence.dead_letters.values import RecordedLetter
from persistence.history import RunHistory, UndecidedAttempt
from persistence.records import DecisionRecord, Forward
from persistence.schema import LetterStatus
from rules.states import StateType

_USUAL_LATENESS = timedelta(seconds=5)

AttemptKey = tuple[str | None, int]


class Standing(StrEnum):
    """What comes of an attempt now."""

    SETTLED = "settled"
    """Nothing: it was decided for good."""
    WAITING = "waiting"
    """It was delayed, and comes back by itself."""
    OVERDUE = "overdue"
    """It should have come back by now."""
    CAME_BACK = "came-back"
    """It was delayed, and came back as the next attempt."""
    RETURNED = "returned"
    """It was delayed, and is for its sender to propose again."""
    UNFINISHED = "unfinished"
    """It was begun or failed, is not decided, and is tried again."""
    DEAD_LETTER = "dead-letter"
    """It became a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a request on a run.

    ``body`` is the decision as it was published, empty where there is none; ``at`` is when it was
    decided, or else last heard of.
    """

    request_id: str | None
    attempt: int
    at: datetime
    standing: Standing
    record: DecisionRecord | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    undecided: UndecidedAttempt | None = None
    letters: tuple[RecordedLetter, ...] = ()

    @property
    def proposed(self) -> StateType | None:
        """What was proposed; None where nothing was, or it is not decided yet."""
        return None if self.record is None else self.record.proposed_type

    @property
    def retry_at(self) -> datetime | None:
        """When it is to be proposed again, where it was delayed."""
        return None if self.record is None else self.record.retry_at


def attempts_of(
    history: RunHistory, letters: Iterable[RecordedLetter], now: datetime
) -> list[Attempt]:
    """All attempts on record, in the order in which they were decided.

    Args:
        history: the decisions on the run, and what is not decided.
        letters: the run's dead letters.
        now: the present moment, which tells what waits from what is overdue.
    """
    records: dict[AttemptKey, DecisionRecord] = {
        (each.request_id, each.attempt): each for each in history.decisions
    }
    undecided: dict[AttemptKey, UndecidedAttempt] = {
        (each.request_id, each.attempt): each for each in history.undecided
    }
    by_attempt: dict[AttemptKey, list[RecordedLetter]] = {}
    for letter in letters:
        by_attempt.setdefault((letter.request_id, letter.attempt or 0), []).append(letter)
    newest: dict[str | None, int] = {}
    keys = dict.fromkeys([*records, *undecided, *by_attempt])
    for request_id, attempt in keys:
        newest[request_id] = max(attempt, newest.get(request_id, 0))
    found = []
    for key in keys:
        record, unfinished = records.get(key), undecided.get(key)
        own_letters = by_attempt.get(key, [])
        is_dead = any(letter.status is not LetterStatus.ANSWERED for letter in own_letters)
        is_newest = newest[key[0]] == key[1]
        found.append(
            Attempt(
                request_id=key[0],
                attempt=key[1],
                at=_heard_of(record, unfinished, own_letters),
                standing=Standing.SETTLED
                if record is None and unfinished is None and not is_dead
                else _standing(record, is_newest=is_newest, dead=is_dead, now=now),
                record=record,
                body={} if record is None else from_json(record.body),
                undecided=unfinished,
                letters=tuple(own_letters),
            )
        )
    return sorted(found, key=lambda each: each.at)


def _heard_of(
    record: DecisionRecord | None,
    unfinished: UndecidedAttempt | None,
    letters: Sequence[RecordedLetter],
) -> datetime:
    if record is not None:
        return record.decided_at
    if unfinished is not None:
        return unfinished.updated
    return letters[0].dead_at


def _standing(
    record: DecisionRecord | None, *, is_newest: bool, dead: bool, now: datetime
) -> Standing:
    if dead or (record is not None and record.forward is Forward.DEAD_LETTER):
        return Standing.DEAD_LETTER
    if record is None:
        return Standing.UNFINISHED
    if record.retry_at is None:
        return Standing.SETTLED
    if record.forward is not Forward.DELAY:
        return Standing.RETURNED
    if not is_newest:
        return Standing.CAME_BACK
    return Standing.OVERDUE if now > record.retry_at + _USUAL_LATENESS else Standing.WAITING
