"""Cached states: the newest that has not expired."""

from datetime import UTC, datetime, timedelta

from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed, State
from tests.contract.storage import Storage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def remember(
    storage: Storage, cache_key: str, expiration: datetime | None, **fields: object
) -> State:
    """A COMPLETED state, written for a run of its own and remembered under the key."""
    run, state = TaskRun(id=uuid7()), Completed(**fields)
    async with storage.transaction([run.id], new_runs=[run]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        session.write_state(found, state)
        session.remember_state(cache_key, state, expiration)
    return state


async def remembered(storage: Storage, cache_key: str, now: datetime = NOON) -> State | None:
    async with storage.transaction([]) as session:
        return await session.cached_state(cache_key, now)


async def test_a_key_under_which_nothing_was_remembered_has_no_state(storage: Storage) -> None:
    await remember(storage, "other", None)

    assert await remembered(storage, "key") is None


async def test_a_state_without_expiration_is_remembered_for_ever(storage: Storage) -> None:
    state = await remember(storage, "key", None, data={"rows": [1, 2]}, message="done")

    assert await remembered(storage, "key", NOON + 100_000 * HOUR) == state


async def test_a_state_is_forgotten_when_it_expires(storage: Storage) -> None:
    state = await remember(storage, "key", NOON)

    assert await remembered(storage, "key", NOON - timedelta(microseconds=1)) == state
    assert await remembered(storage, "key", NOON) is None


async def test_the_newest_wins_whatever_its_timestamp(storage: Storage) -> None:
    await remember(storage, "key", None, timestamp=NOON)
    newest = await remember(storage, "key", None, timestamp=NOON - HOUR)

    assert await remembered(storage, "key") == newest


async def test_an_expired_newer_one_does_not_hide_an_older_one(storage: Storage) -> None:
    lasting = await remember(storage, "key", NOON + HOUR)
    await remember(storage, "key", NOON - HOUR)

    assert await remembered(storage, "key") == lasting


async def test_a_state_is_found_in_the_transaction_that_remembers_it(storage: Storage) -> None:
    older = await remember(storage, "key", None)
    run, state = TaskRun(id=uuid7()), Completed()
    async with storage.transaction([run.id], new_runs=[run]) as session:
        assert await session.cached_state("key", NOON) == older
        found = await session.task_run(run.id)
        assert found is not None
        session.write_state(found, state)
        session.remember_state("key", state, NOON + HOUR)

        assert await session.cached_state("key", NOON) == state
        assert await session.cached_state("key", NOON + HOUR) == older


async def test_a_key_of_the_greatest_length_is_kept_whole(storage: Storage) -> None:
    state = await remember(storage, "k" * 2_000, None)

    assert await remembered(storage, "k" * 2_000) == state
    assert await remembered(storage, "k" * 1_999) is None
