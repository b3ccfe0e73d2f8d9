"""Limits as operators set them: who runs already is a holder."""

import asyncio

import pytest

from persistence.database import Database
from persistence.demands import Demand
from persistence.limits import (
    FreedSlot,
    delete_limit,
    list_limits,
    reset_slots,
    set_limit,
)
from rules.identifiers import uuid7
from rules.runs import FlowRun, Run, TaskRun
from rules.states import Completed, Failed, Pending, Running, State, StateType
from tests.persistence.records import enter, make_runs
from tests.persistence.waiting import until_one_waits


async def made(database: Database, run: Run, state: State | None = None) -> None:
    await make_runs(database, run)
    if state is not None:
        await change(database, run, state)


async def change(database: Database, run: Run, state: State) -> None:
    async with database.session([Demand(run_id=run.id)]) as session:
        await enter(session, run, state)


async def holders(database: Database) -> dict[str, set[object]]:
    return {
        limit.tag: {holder.task_run_id for holder in limit.holders}
        for limit in await list_limits(database)
    }


async def test_the_task_runs_that_run_already_become_holders(database: Database) -> None:
    running = TaskRun(id=uuid7(), tags=("other", "db"), name="extract")
    await made(database, running, Running())
    await made(database, TaskRun(id=uuid7(), tags=("db",)), Pending())
    await made(database, TaskRun(id=uuid7(), tags=("db",)))
    await made(database, TaskRun(id=uuid7(), tags=("dbx", "x")), Running())
    await made(database, FlowRun(id=uuid7(), tags=("db",)), Running())

    assert await set_limit(database, "db", 5) == 1

    [limit] = await list_limits(database)
    assert (limit.tag, limit.slots) == ("db", 5)
    [holder] = limit.holders
    assert (holder.task_run_id, holder.name, holder.state_type) == (
        running.id,
        "extract",
        StateType.RUNNING,
    )


async def test_a_limit_set_anew_keeps_its_holders(database: Database) -> None:
    runs = [TaskRun(id=uuid7(), tags=("db",)) for _ in range(3)]
    for run in runs:
        await made(database, run, Running())
    await set_limit(database, "db", 3)

    assert await set_limit(database, "db", 0) == 3
    assert await holders(database) == {"db": {run.id for run in runs}}


async def test_limits_are_listed_by_tag_all_or_those_asked_for(database: Database) -> None:
    for tag in ("gpu", "db", "disk"):
        await set_limit(database, tag, 1)

    assert [limit.tag for limit in await list_limits(database)] == ["db", "disk", "gpu"]
    assert [limit.tag for limit in await list_limits(database, "gpu", "none", "db")] == [
        "db",
        "gpu",
    ]


async def test_a_tag_of_any_characters_can_be_limited(database: Database) -> None:
    tag = 'it\'s "50%" \\ é'
    run = TaskRun(id=uuid7(), tags=(tag,))
    await made(database, run, Running())

    assert await set_limit(database, tag, 1) == 1


async def test_a_limit_is_not_negative(database: Database) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        await set_limit(database, "db", -1)


async def test_a_deleted_limit_takes_its_slots_along(database: Database) -> None:
    run = TaskRun(id=uuid7(), tags=("db", "gpu"))
    await made(database, run, Running())
    await set_limit(database, "db", 1)
    await set_limit(database, "gpu", 1)

    assert await delete_limit(database, "db")
    assert not await delete_limit(database, "db")
    assert await holders(database) == {"gpu": {run.id}}


async def test_a_reset_frees_the_slots_of_runs_that_no_longer_run_and_names_them(
    database: Database,
) -> None:
    runs = [TaskRun(id=uuid7(), tags=("db", "gpu"), name="extract") for _ in range(4)]
    for run in runs:
        await made(database, run, Running())
    await set_limit(database, "db", 9)
    await set_limit(database, "gpu", 9)
    await change(database, runs[0], Completed())
    await change(database, runs[1], Failed())
    await change(database, runs[2], State(type=StateType.CANCELLING))

    assert await reset_slots(database, "gpu") == freed("gpu", runs)
    assert await reset_slots(database) == freed("db", runs)
    assert await reset_slots(database) == []
    assert await holders(database) == {
        "db": {run.id for run in runs[2:]},
        "gpu": {run.id for run in runs[2:]},
    }


def freed(tag: str, runs: list[TaskRun]) -> list[FreedSlot]:
    """The slots of the first, which is COMPLETED by then, and the second, which FAILED."""
    return [
        FreedSlot(tag=tag, task_run_id=run.id, name="extract", state_type=state_type)
        for run, state_type in zip(runs, (StateType.COMPLETED, StateType.FAILED), strict=False)
    ]


async def test_a_run_that_is_just_starting_becomes_a_holder_too(
    postgres_database: Database,
) -> None:
    """Its session found no limit, and so took no slot."""
    run = TaskRun(id=uuid7(), tags=("db",))
    await made(postgres_database, run)
    async with postgres_database.session(
        [Demand(run_id=run.id, proposes=StateType.RUNNING)]
    ) as session:
        assert await session.concurrency_limits(run.tags) == {}
        setting = asyncio.create_task(set_limit(postgres_database, "db", 1))
        await until_one_waits(postgres_database)
        await enter(session, run, Running())

    assert await setting == 1
