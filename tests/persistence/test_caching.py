"""Cached states of a whole batch."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database
from persistence.demands import Demand
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed, State, StateType
from tests.persistence.records import NOON, enter, make_runs
from tests.persistence.statements import caught

HOUR = timedelta(hours=1)


async def remember(database: Database, key: str, expiration: timedelta | None = None) -> State:
    run, state = TaskRun(id=uuid7()), Completed(data=key)
    await make_runs(database, run)
    async with database.session([Demand(run_id=run.id)]) as session:
        await enter(session, run, state)
        session.remember_state(key, state, None if expiration is None else NOON + expiration)
    return state


def asking(*keys: str) -> list[Demand]:
    return [Demand(cache_key=key, proposes=StateType.RUNNING) for key in keys]


async def test_the_keys_of_a_batch_are_read_together(
    database: Database, engine: AsyncEngine
) -> None:
    states = {key: await remember(database, key) for key in ("a", "b")}
    with caught(engine) as sent:
        async with database.session(asking("a", "b", "c")) as session:
            found = [await session.cached_state(key, NOON) for key in ("a", "b", "c", "a")]

    assert found == [states["a"], states["b"], None, states["a"]]
    assert sum("cached_state" in statement for statement in sent) == 1


async def test_a_state_that_expires_within_the_batch_gives_way_to_an_older_one(
    database: Database,
) -> None:
    lasting = await remember(database, "key", 2 * HOUR)
    short = await remember(database, "key", HOUR)
    async with database.session(asking("key")) as session:
        assert await session.cached_state("key", NOON) == short
        assert await session.cached_state("key", NOON + HOUR) == lasting
        assert await session.cached_state("key", NOON + 2 * HOUR) is None
        assert await session.cached_state("key", NOON) == short


async def test_a_key_as_long_as_a_request_may_have_it_is_remembered(database: Database) -> None:
    key = "".join(chr(0x1F000 + number % 900) for number in range(2_000))
    state = await remember(database, key)

    async with database.session([]) as session:
        assert await session.cached_state(key, NOON) == state
        assert await session.cached_state(key[:-1], NOON) is None


async def test_what_this_batch_remembers_is_newer_than_what_the_database_has(
    database: Database,
) -> None:
    old = await remember(database, "key")
    run, new = TaskRun(id=uuid7()), Completed()
    await make_runs(database, run)
    async with database.session([Demand(run_id=run.id), *asking("key")]) as session:
        assert await session.cached_state("key", NOON) == old
        await enter(session, run, new)
        session.remember_state("key", new, NOON + HOUR)
        assert await session.cached_state("key", NOON) == new
        assert await session.cached_state("key", NOON + HOUR) == old
