"""Slots under real concurrency: a limit is never overfilled, whoever asks at the same time."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database
from persistence.demands import Demand
from persistence.limits import list_limits, set_limit
from rules import SetStateStatus, TaskOrchestrationContext, govern
from rules.identifiers import uuid7
from rules.policies import CoreTaskPolicy, GlobalTaskPolicy
from rules.runs import TaskRun
from rules.states import Completed, Running, State, StateType
from tests.persistence.records import NOON, make_runs
from tests.persistence.statements import caught
from tests.persistence.waiting import until_one_waits


def running(run: TaskRun) -> Demand:
    return Demand(run_id=run.id, kind=run.kind, proposes=StateType.RUNNING)


async def propose(database: Database, runs: list[TaskRun], state: State) -> list[SetStateStatus]:
    """Govern one batch."""
    answers = []
    demands = [Demand(run_id=run.id, kind=run.kind, proposes=state.type) for run in runs]
    async with database.session(demands) as session:
        for run in runs:
            found = await session.task_run(run.id)
            assert found is not None
            context = TaskOrchestrationContext(
                session=session,
                run=found,
                proposed_state=state.revised(id=uuid7()),
                now=NOON,
            )
            await govern(context, CoreTaskPolicy, GlobalTaskPolicy)
            answers.append(context.response_status)
    return answers


async def holders(database: Database) -> dict[str, int]:
    return {limit.tag: len(limit.holders) for limit in await list_limits(database)}


async def test_batches_at_the_same_time_do_not_overfill_a_limit(database: Database) -> None:
    await set_limit(database, "db", 7)
    await set_limit(database, "gpu", 5)
    tags = [("db",), ("gpu",), ("db", "gpu"), ("gpu", "db")]
    runs = [TaskRun(id=uuid7(), tags=tags[number % 4]) for number in range(40)]
    await make_runs(database, *runs)

    batches = [runs[start::8] for start in range(8)]
    answers = await asyncio.gather(
        *(propose(database, batch, Running(timestamp=NOON)) for batch in batches)
    )

    taken = await holders(database)
    assert taken["db"] <= 7
    assert taken["gpu"] <= 5
    assert 7 in taken.values() or 5 in taken.values()
    accepted = [
        run
        for batch, statuses in zip(batches, answers, strict=True)
        for run, status in zip(batch, statuses, strict=True)
        if status is SetStateStatus.ACCEPT
    ]
    for tag in ("db", "gpu"):
        assert taken[tag] == sum(tag in run.tags for run in accepted)


async def test_who_waits_for_a_limit_counts_the_slot_taken_meanwhile(
    postgres_database: Database,
) -> None:
    await set_limit(postgres_database, "db", 1)
    first, second = (TaskRun(id=uuid7(), tags=("db",)) for _ in range(2))
    await make_runs(postgres_database, first, second)

    async def look() -> int:
        async with postgres_database.session([running(second)]) as session:
            return (await session.slots_taken(["db"]))["db"]

    async with postgres_database.session([running(first)]) as session:
        looking = asyncio.create_task(look())
        await until_one_waits(postgres_database)
        session.take_slots(first.id, ["db"])

    assert await looking == 1


async def test_a_slot_given_back_in_a_batch_can_be_taken_in_the_same(database: Database) -> None:
    await set_limit(database, "db", 1)
    first, second = (TaskRun(id=uuid7(), tags=("db",)) for _ in range(2))
    await make_runs(database, first, second)
    assert await propose(database, [first], Running(timestamp=NOON)) == [SetStateStatus.ACCEPT]

    demands = [Demand(run_id=first.id, kind=first.kind), running(second)]
    async with database.session(demands) as session:
        session.release_slots(first.id, ["db"])
        assert (await session.slots_taken(["db"]))["db"] == 0
        session.take_slots(second.id, ["db"])
        assert (await session.slots_taken(["db"]))["db"] == 1

    [limit] = await list_limits(database)
    assert [holder.task_run_id for holder in limit.holders] == [second.id]


async def test_limits_are_locked_only_for_runs_that_are_to_run(
    postgres_database: Database, postgres_engine: AsyncEngine
) -> None:
    await set_limit(postgres_database, "db", 1)
    runs = [TaskRun(id=uuid7(), tags=("db",)), TaskRun(id=uuid7())]
    await make_runs(postgres_database, *runs)

    with caught(postgres_engine) as sent:
        await propose(postgres_database, runs, Completed(timestamp=NOON))
        await propose(postgres_database, runs[1:], Running(timestamp=NOON))

    assert not any("concurrency_limit" in statement for statement in sent)


async def test_the_limit_of_a_tag_that_was_not_foreseen_is_locked_when_a_rule_asks(
    postgres_database: Database, postgres_engine: AsyncEngine
) -> None:
    await set_limit(postgres_database, "db", 1)
    with caught(postgres_engine) as sent:
        async with postgres_database.session([]) as session:
            assert await session.concurrency_limits(["db", "free"]) == {"db": 1}
            assert await session.concurrency_limits(["free"]) == {}

    assert [statement.endswith("FOR NO KEY UPDATE") for statement in sent] == [True]


@pytest.mark.parametrize("undone", [True, False])
async def test_counts_follow_changes_that_are_undone(database: Database, *, undone: bool) -> None:
    await set_limit(database, "db", 3)
    run = TaskRun(id=uuid7(), tags=("db",))
    await make_runs(database, run)
    async with database.session([running(run)]) as session:
        session.begin_request()
        session.take_slots(run.id, ["db"])
        assert (await session.slots_taken(["db"]))["db"] == 1
        if undone:
            await session.undo_request()
        session.begin_request()
        session.release_slots(run.id, ["db"])
        session.take_slots(run.id, ["db"])
        await session.undo_request()
        assert (await session.slots_taken(["db"]))["db"] == (0 if undone else 1)
        assert await session.slots_held(run.id) == (frozenset() if undone else {"db"})

    assert await holders(database) == {"db": 0 if undone else 1}
