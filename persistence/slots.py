"""Concurrency limits and slots, as a batch sees and changes them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.bulk import BulkDelete, BulkInsert
from persistence.lists import among
from persistence.schema import ConcurrencyLimitRow, ConcurrencySlotRow, table_of

_LIMIT = table_of(ConcurrencyLimitRow)
_SLOT = table_of(ConcurrencySlotRow)

_LIMITS = (
    select(_LIMIT.c.tag, _LIMIT.c.slots)
    .where(among(_LIMIT.c.tag, "tags"))
    .order_by(_LIMIT.c.tag)
    .with_for_update(key_share=True)
)
_COUNTS = select(_SLOT.c.tag, func.count()).where(among(_SLOT.c.tag, "tags")).group_by(_SLOT.c.tag)
_HELD = select(_SLOT.c.task_run_id, _SLOT.c.tag).where(among(_SLOT.c.task_run_id, "ids"))
_RELEASE = BulkDelete(_SLOT, ("tag", "task_run_id"))
_TAKE = BulkInsert(_SLOT, ("tag", "task_run_id", "taken_at"), keeps=True)


@dataclass(slots=True)
class _Change:
    """A slot taken or released; ``told`` once it is in the book, where it made a difference."""

    tag: str
    run_id: UUID
    taken: bool
    told: bool = False


class SlotBook:
    """The holders of slots, read once for the whole batch and kept up as they change.

    Taking and releasing are only noted at first, since what a run holds may have to be read.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._limits: dict[str, int | None] = {}
        self._counts: dict[str, int] = {}
        self._held: dict[UUID, set[str]] = {}
        self._changes: list[_Change] = []
        self._entered = 0
        self._mark = 0
        self._task_run_ids: Collection[UUID] = ()

    async def open(self, tags: Collection[str], task_run_ids: Collection[UUID]) -> None:
        """Lock the limits of these tags, and read who holds their slots.

        ``task_run_ids`` are the batch's, whose slots will be asked for.
        """
        self._task_run_ids = task_run_ids
        if tags:
            limited = await self.limits(tags)
            await self._read_counts(limited)

    async def limits(self, tags: Collection[str]) -> Mapping[str, int]:
        """The limit of each of these tags that has one, locked until the transaction ends."""
        unread = sorted(set(tags) - self._limits.keys())
        if unread:
            rows = await self._connection.execute(_LIMITS, {"tags": unread})
            self._limits |= dict.fromkeys(unread)
            self._limits |= dict(rows.all())
        return {tag: limit for tag in tags if (limit := self._limits[tag]) is not None}

    async def taken(self, tags: Collection[str]) -> Mapping[str, int]:
        """How many hold a slot of each tag."""
        await self._enter_changes()
        await self._read_counts(tags)
        return {tag: self._counts[tag] for tag in tags}

    async def held(self, task_run_id: UUID) -> frozenset[str]:
        """Of which tags the run holds a slot."""
        await self._read_held([task_run_id])
        await self._enter_changes()
        return frozenset(self._held[task_run_id])

    def change(self, task_run_id: UUID, tags: Iterable[str], *, taken: bool) -> None:
        """Note that the run takes or releases slots."""
        self._changes += [_Change(tag, task_run_id, taken) for tag in tags]

    def begin(self) -> None:
        """Let what changes from here on belong to one request."""
        self._mark = len(self._changes)

    def undo(self, *, rolled_back: bool) -> None:
        """Take back the request's changes; those already written are so by a rollback."""
        if rolled_back:
            self._counts.clear()
            self._held.clear()
        else:
            for change in reversed(self._changes[self._mark : self._entered]):
                if change.told:
                    self._enter(change.tag, change.run_id, taken=not change.taken)
        del self._changes[self._mark :]
        self._entered = min(self._entered, self._mark)

    async def write(self, now: datetime, *, earlier: bool) -> None:
        """Write what has changed, or only what changed before the present request."""
        await self._enter_changes()
        end = self._mark if earlier else len(self._changes)
        last = {(change.tag, change.run_id): change.taken for change in self._changes[:end]}
        del self._changes[:end]
        self._entered -= end
        self._mark = max(0, self._mark - end)
        released = [slot for slot, taken in last.items() if not taken]
        took = [(*slot, now) for slot, taken in last.items() if taken]
        if released:
            await _RELEASE.execute(self._connection, released)
        if took:
            await _TAKE.execute(self._connection, took)

    async def _enter_changes(self) -> None:
        new = self._changes[self._entered :]
        if not new:
            return
        await self._read_held({change.run_id for change in new})
        for change in new:
            change.told = (change.tag in self._held[change.run_id]) is not change.taken
            if change.told:
                self._enter(change.tag, change.run_id, taken=change.taken)
        self._entered = len(self._changes)

    def _enter(self, tag: str, run_id: UUID, *, taken: bool) -> None:
        if taken:
            self._held[run_id].add(tag)
        else:
            self._held[run_id].remove(tag)
        if tag in self._counts:
            self._counts[tag] += 1 if taken else -1

    async def _read_counts(self, tags: Collection[str]) -> None:
        unread = sorted(set(tags) - self._counts.keys())
        if not unread:
            return
        rows = await self._connection.execute(_COUNTS, {"tags": unread})
        self._counts |= dict.fromkeys(unread, 0)
        self._counts |= dict(rows.all())
        for change in self._changes[: self._entered]:
            if change.told and change.tag in unread:
                self._counts[change.tag] += 1 if change.taken else -1

    async def _read_held(self, run_ids: Iterable[UUID]) -> None:
        """Read what these runs hold, and with them once what all of the batch's do."""
        if self._held.keys() >= set(run_ids):
            return
        unread = ({*run_ids} | {*self._task_run_ids}) - self._held.keys()
        rows = await self._connection.execute(_HELD, {"ids": sorted(unread)})
        self._held |= {run_id: set() for run_id in unread}
        for run_id, tag in rows:
            self._held[run_id].add(tag)
