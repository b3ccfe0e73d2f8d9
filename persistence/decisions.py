"""The decisions that a batch finds on record, and those that it puts there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.bulk import BulkInsert, BulkUpdate, Row
from persistence.demands import Demand
from persistence.errors import NotDemandedError
from persistence.recalling import (
    begun_keys,
    load_begun,
    load_records,
    load_replayed,
    recorded_keys,
    replayed_keys,
)
from persistence.records import BegunRecord, DecisionRecord, RequestKey
from persistence.schema import DecisionRow, table_of

T = TypeVar("T")

_DECISION = table_of(DecisionRow)
_COLUMNS = tuple(field.name for field in fields(DecisionRecord))
_VALUES = attrgetter(*_COLUMNS)
WRITE_DECISIONS = BulkInsert(_DECISION, _COLUMNS)
MARK_FORWARDED = BulkUpdate(_DECISION, ("request_id", "attempt"), ("forwarded",))


class DecisionBook:
    """Records by request and attempt: what the database had, and what was added since."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._records: dict[RequestKey, DecisionRecord | None] = {}
        self._begun: dict[RequestKey, BegunRecord | None] = {}
        self._replayed: frozenset[RequestKey] = frozenset()
        self._new: list[DecisionRecord] = []
        self._forwarded: list[RequestKey] = []

    async def open(self, demands: Sequence[Demand]) -> None:
        """Read what is on record of the demanded attempts."""
        records, begun = recorded_keys(demands), begun_keys(demands)
        self._records = {
            **dict.fromkeys(records),
            **await load_records(self._connection, records),
        }
        self._begun = {**dict.fromkeys(begun), **await load_begun(self._connection, begun)}
        replayed = replayed_keys(demands, self._records)
        self._replayed = await load_replayed(self._connection, replayed)

    def recorded(self, key: RequestKey) -> DecisionRecord | None:
        """The decision on record."""
        return _known(self._records, key)

    def begun(self, key: RequestKey) -> BegunRecord | None:
        """What was counted of the attempt."""
        return _known(self._begun, key)

    def is_replayed(self, key: RequestKey) -> bool:
        """Whether the attempt's dead letter is being or was replayed as the next attempt."""
        return key in self._replayed

    def record(self, record: DecisionRecord) -> None:
        """Add a decision."""
        self._records[record.request_id, record.attempt] = record
        self._new.append(record)

    def mark_forwarded(self, keys: Iterable[RequestKey]) -> None:
        """Note that what these decisions asked to be forwarded is confirmed."""
        self._forwarded += keys

    def take(self) -> tuple[list[Row], list[Row]]:
        """The rows of the decisions that were added, and of the marks, to be written now."""
        new, self._new = self._new, []
        forwarded, self._forwarded = self._forwarded, []
        return list(map(_VALUES, new)), [(*key, True) for key in forwarded]


def _known(found: Mapping[RequestKey, T | None], key: RequestKey) -> T | None:
    try:
        return found[key]
    except KeyError:
        raise NotDemandedError(f"attempt {key[1]} of the request {key[0]!r}") from None
