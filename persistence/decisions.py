"""The decisions that a batch finds on record, and those that it puts there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TypeVar

from sqlalchemy import bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.demands import Demand
from persistence.errors import NotDemandedError
from persistence.recalling import begun_keys, load_begun, load_records, recorded_keys
from persistence.records import BegunRecord, DecisionRecord, RequestKey
from persistence.schema import DecisionRow, table_of

T = TypeVar("T")

_DECISION = table_of(DecisionRow)
_INSERT = insert(_DECISION)
_MARK = (
    update(_DECISION)
    .where(
        _DECISION.c.request_id == bindparam("of_request"),
        _DECISION.c.attempt == bindparam("of_attempt"),
    )
    .values(forwarded=True)
)
_COLUMNS = tuple(field.name for field in fields(DecisionRecord))
_VALUES = attrgetter(*_COLUMNS)


class DecisionBook:
    """Records by request and attempt: what the database had, and what was added since."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._records: dict[RequestKey, DecisionRecord | None] = {}
        self._begun: dict[RequestKey, BegunRecord | None] = {}
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

    def recorded(self, key: RequestKey) -> DecisionRecord | None:
        """The decision on record."""
        return _known(self._records, key)

    def begun(self, key: RequestKey) -> BegunRecord | None:
        """What was counted of the attempt."""
        return _known(self._begun, key)

    def record(self, record: DecisionRecord) -> None:
        """Add a decision."""
        self._records[record.request_id, record.attempt] = record
        self._new.append(record)

    def mark_forwarded(self, keys: Iterable[RequestKey]) -> None:
        """Note that what these decisions asked to be forwarded is confirmed."""
        self._forwarded += keys

    async def write(self) -> None:
        """Write what was added and noted."""
        new, self._new = self._new, []
        forwarded, self._forwarded = self._forwarded, []
        if new:
            rows = [dict(zip(_COLUMNS, _VALUES(record), strict=True)) for record in new]
            await self._connection.execute(_INSERT, rows)
        if forwarded:
            keys = [{"of_request": request_id, "of_attempt": k} for request_id, k in forwarded]
            await self._connection.execute(_MARK, keys)


def _known(found: Mapping[RequestKey, T | None], key: RequestKey) -> T | None:
    try:
        return found[key]
    except KeyError:
        raise NotDemandedError(f"attempt {key[1]} of the request {key[0]!r}") from None
