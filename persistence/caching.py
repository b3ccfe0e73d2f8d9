"""States remembered under cache keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.lists import among_selected, each
from persistence.loading import STATE_DATA, STATE_WITH_DATA
from persistence.schema import CachedStateRow, RunStateRow, table_of
from persistence.translation import STATE_COLUMNS, to_state
from rules.states import State

_CACHED = table_of(CachedStateRow)
_STATE = table_of(RunStateRow)
_OLDER = _CACHED.alias("older")
_DIGESTS = each("digests", _CACHED.c.key_digest.type).alias("asked")
_NEWEST = (
    select(_OLDER.c.id)
    .where(
        _OLDER.c.key_digest == _DIGESTS.c.value,
        or_(
            _OLDER.c.expiration.is_(None),
            _OLDER.c.expiration > bindparam("now", type_=_OLDER.c.expiration.type),
        ),
    )
    .order_by(_OLDER.c.id.desc())
    .limit(1)
    .correlate(_DIGESTS)
    .scalar_subquery()
)
_FOUND = (
    select(_CACHED.c.key_digest, _CACHED.c.expiration, *STATE_COLUMNS, STATE_DATA)
    .select_from(_CACHED.join(STATE_WITH_DATA, _CACHED.c.state_id == _STATE.c.id))
    .where(among_selected(_CACHED.c.id, select(_NEWEST).select_from(_DIGESTS)))
)
_REMEMBER = insert(_CACHED).inline()


@dataclass(frozen=True, slots=True)
class CachedState:
    """A state under a cache key, until ``expiration`` or for ever."""

    cache_key: str
    state: State
    expiration: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expiration is None or self.expiration > now


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the database had under a key for the moment ``asked_for``."""

    asked_for: datetime
    found: CachedState | None

    def holds(self, now: datetime) -> bool:
        """Whether it would have the same for another moment."""
        return now >= self.asked_for and (self.found is None or self.found.is_valid(now))


class StateCache:
    """Remembered states: the database's, and on top of them those of this transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._answers: dict[str, _Answer] = {}
        self._remembered: list[CachedState] = []
        self._written = 0
        self._mark = 0
        self._keys: Collection[str] = ()

    def open(self, keys: Collection[str]) -> None:
        """Say for which keys the batch will ask, so that they are read together."""
        self._keys = keys

    async def find(self, cache_key: str, now: datetime) -> State | None:
        """The newest state under the key that has not expired at ``now``."""
        for own in reversed(self._remembered):
            if own.cache_key == cache_key and own.is_valid(now):
                return own.state
        answer = self._answers.get(cache_key)
        if answer is None or not answer.holds(now):
            keys = {cache_key} if answer else {cache_key, *self._keys} - self._answers.keys()
            await self._read(keys, now)
        found = self._answers[cache_key].found
        return None if found is None else found.state

    def remember(self, cached: CachedState) -> None:
        """Note a state to remember."""
        self._remembered.append(cached)

    def begin(self) -> None:
        """Let what is remembered from here on belong to one request."""
        self._mark = len(self._remembered)

    def undo(self) -> None:
        """Forget again what the request remembered."""
        del self._remembered[self._mark :]
        self._written = min(self._written, self._mark)

    async def write(self, now: datetime, *, earlier: bool) -> None:
        """Write what was noted, or only what was before the present request."""
        end = self._mark if earlier else len(self._remembered)
        new = self._remembered[self._written : end]
        self._written = max(self._written, end)
        if new:
            await self._connection.execute(_REMEMBER, [_row(cached, now) for cached in new])

    async def _read(self, keys: Collection[str], now: datetime) -> None:
        keys_of = {_digest(key): key for key in keys}
        found = await _find(self._connection, keys_of, now)
        for digest, key in keys_of.items():
            self._answers[key] = _Answer(now, found.get(digest))


async def _find(
    connection: AsyncConnection, keys_of: Mapping[UUID, str], now: datetime
) -> Mapping[UUID, CachedState]:
    rows = await connection.execute(_FOUND, {"digests": sorted(keys_of), "now": now})
    return {
        digest: CachedState(keys_of[digest], to_state(state, data), expiration)
        for digest, expiration, *state, data in rows
    }


def _row(cached: CachedState, now: datetime) -> dict[str, object]:
    return {
        "key_digest": _digest(cached.cache_key),
        "cache_key": cached.cache_key,
        "state_id": cached.state.id,
        "expiration": cached.expiration,
        "created": now,
    }


def _digest(cache_key: str) -> UUID:
    return UUID(bytes=sha256(cache_key.encode()).digest()[:16])
