"""Concurrency slots: counted from their holders."""

from collections.abc import Mapping

from rules.identifiers import uuid7
from rules.runs import TaskRun
from tests.contract.storage import Storage


async def made(storage: Storage, tags: tuple[str, ...], number: int = 1) -> list[TaskRun]:
    runs = [TaskRun(id=uuid7(), tags=tags) for _ in range(number)]
    async with storage.transaction([run.id for run in runs], new_runs=runs):
        pass
    return runs


async def test_only_limited_tags_have_a_limit(storage: Storage) -> None:
    await storage.set_limits({"db": 2, "shut": 0})
    [run] = await made(storage, ("db", "free", "shut"))

    async with storage.transaction([run.id]) as session:
        assert dict(await session.concurrency_limits(run.tags)) == {"db": 2, "shut": 0}


async def test_a_limit_set_anew_is_the_new_one(storage: Storage) -> None:
    await storage.set_limits({"db": 2})
    await storage.set_limits({"db": 5})
    [run] = await made(storage, ("db",))

    async with storage.transaction([run.id]) as session:
        assert dict(await session.concurrency_limits(["db"])) == {"db": 5}


async def test_slots_are_counted_from_their_holders(storage: Storage) -> None:
    await storage.set_limits({"db": 5, "gpu": 5})
    first, second, third = await made(storage, ("db", "gpu"), 3)
    ids = [first.id, second.id, third.id]

    async with storage.transaction(ids) as session:
        session.take_slots(first.id, ["db", "gpu"])
        session.take_slots(second.id, ["db"])
        session.take_slots(second.id, ["db"])
        seen_at_once = counted(await session.slots_taken(["db", "gpu"]))

    async with storage.transaction(ids) as session:
        assert counted(await session.slots_taken(["db", "gpu"])) == seen_at_once
        assert await session.slots_held(first.id) == {"db", "gpu"}
        assert await session.slots_held(second.id) == {"db"}
        assert await session.slots_held(third.id) == frozenset()
    assert seen_at_once == {"db": 2, "gpu": 1}


async def test_a_tag_without_holders_counts_nothing(storage: Storage) -> None:
    await storage.set_limits({"db": 5})
    [run] = await made(storage, ("db",))

    async with storage.transaction([run.id]) as session:
        assert counted(await session.slots_taken(["db"])) == {}


async def test_released_slots_are_free_again(storage: Storage) -> None:
    await storage.set_limits({"db": 5, "gpu": 5})
    first, second = await made(storage, ("db", "gpu"), 2)
    async with storage.transaction([first.id, second.id]) as session:
        session.take_slots(first.id, ["db", "gpu"])
        session.take_slots(second.id, ["db"])

    async with storage.transaction([first.id, second.id]) as session:
        session.release_slots(first.id, ["db"])
        assert counted(await session.slots_taken(["db", "gpu"])) == {"db": 1, "gpu": 1}

    async with storage.transaction([first.id, second.id]) as session:
        assert await session.slots_held(first.id) == {"gpu"}
        assert await session.slots_held(second.id) == {"db"}


async def test_to_release_a_slot_that_is_not_held_is_no_error(storage: Storage) -> None:
    await storage.set_limits({"db": 5})
    holder, other = await made(storage, ("db",), 2)
    async with storage.transaction([holder.id, other.id]) as session:
        session.take_slots(holder.id, ["db"])
        session.release_slots(other.id, ["db", "unheard-of"])

    async with storage.transaction([holder.id]) as session:
        assert counted(await session.slots_taken(["db"])) == {"db": 1}


async def test_a_slot_released_and_taken_again_is_held(storage: Storage) -> None:
    await storage.set_limits({"db": 5})
    [run] = await made(storage, ("db",))
    async with storage.transaction([run.id]) as session:
        session.take_slots(run.id, ["db"])

    async with storage.transaction([run.id]) as session:
        session.release_slots(run.id, ["db"])
        session.take_slots(run.id, ["db"])

    async with storage.transaction([run.id]) as session:
        assert await session.slots_held(run.id) == {"db"}


def counted(taken: Mapping[str, int]) -> dict[str, int]:
    """What is taken, without what is not."""
    return {tag: number for tag, number in taken.items() if number}
