"""Who waits for whom: rows are locked in one order, and what others write is read after it."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database
from persistence.demands import Demand
from persistence.errors import is_duplicate, is_transient
from persistence.limits import set_limit
from persistence.session import Session
from rules.identifiers import uuid7
from rules.runs import FlowRun, Run, TaskRun
from rules.states import Failed, Pending, Running, State, StateType
from tests.persistence.records import enter, make_runs, record_of
from tests.persistence.statements import caught
from tests.persistence.waiting import until_one_waits


class GivenUp(Exception):  # noqa: N818  it is no error
    """What lets a transaction be rolled back."""


def demand(run: Run, request_id: str | None = None, **fields: Any) -> Demand:
    return Demand(run_id=run.id, kind=run.kind, request_id=request_id, **fields)


async def locked(database: Database) -> set[object]:
    """The runs that somebody holds locked just now."""
    async with database.writing() as connection:
        free = await connection.execute(text("SELECT id FROM run FOR UPDATE SKIP LOCKED"))
        free_ids = set(free.scalars())
        everyone = await connection.execute(text("SELECT id FROM run"))
        return set(everyone.scalars()) - free_ids


async def test_runs_are_locked_before_anything_else_is_read_and_new_ones_by_being_inserted(
    postgres_database: Database, postgres_engine: AsyncEngine
) -> None:
    runs = [TaskRun(id=uuid7(), tags=("a", "b")) for _ in range(3)]
    await set_limit(postgres_database, "b", 3)
    with caught(postgres_engine) as sent:
        async with postgres_database.session(
            [
                Demand(
                    run_id=run.id,
                    kind=run.kind,
                    create=run,
                    request_id="r",
                    proposes=StateType.RUNNING,
                )
                for run in reversed(runs)
            ]
        ):
            pass

    locking, inserting, limits, *rest = sent
    assert "ORDER BY run.id FOR NO KEY UPDATE" in locking
    assert inserting.startswith("INSERT INTO run ")
    assert inserting.endswith(" RETURNING run.id")
    assert "ORDER BY concurrency_limit.tag FOR NO KEY UPDATE" in limits
    assert any("FROM decision" in statement for statement in rest)
    assert not any("FOR NO KEY UPDATE" in statement for statement in rest)


async def test_parents_of_subflows_and_task_runs_to_be_forced_are_locked_too(
    postgres_database: Database,
) -> None:
    parent, bystander = TaskRun(id=uuid7()), TaskRun(id=uuid7())
    subflow = FlowRun(id=uuid7(), parent_task_run_id=parent.id)
    failed, running = (TaskRun(id=uuid7(), flow_run_id=subflow.id) for _ in range(2))
    await make_runs(postgres_database, parent, bystander, subflow, failed, running)
    async with postgres_database.session([demand(failed), demand(running)]) as session:
        await enter(session, failed, Failed())
        await enter(session, running, Running())

    async with postgres_database.session([demand(subflow)]):
        assert await locked(postgres_database) == {parent.id, subflow.id}
    async with postgres_database.session([demand(subflow, forces_task_runs=True)]) as session:
        assert await locked(postgres_database) == {parent.id, subflow.id, failed.id}
        assert [run.id for run in await session.failed_task_runs(subflow.id)] == [failed.id]


async def test_the_parent_of_a_subflow_that_is_yet_to_be_made_is_locked(
    postgres_database: Database,
) -> None:
    parent = TaskRun(id=uuid7())
    subflow = FlowRun(id=uuid7(), parent_task_run_id=parent.id)
    await make_runs(postgres_database, parent)

    async with postgres_database.session([demand(subflow, create=subflow)]) as session:
        session.make_run(subflow)
        assert await locked(postgres_database) == {parent.id}


async def test_two_batches_on_one_run_come_one_after_the_other(database: Database) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(database, run)

    async def count_up() -> None:
        async with database.session([demand(run)]) as session:
            found = await session.task_run(run.id)
            assert found is not None
            found.run_count += 1

    await asyncio.gather(*(count_up() for _ in range(5)))

    async with database.session([demand(run)]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        assert found.run_count == 5


async def test_batches_that_share_runs_in_another_order_do_not_deadlock(
    database: Database,
) -> None:
    runs = [TaskRun(id=uuid7(), flow_run_id=uuid7()) for _ in range(20)]

    async def touch(chosen: list[TaskRun]) -> None:
        demands = [demand(run, create=run) for run in chosen]
        async with database.session(demands) as session:
            for run in chosen:
                session.make_run(run)
                await enter(session, run, Running())

    await asyncio.gather(*(touch(runs if number % 2 else runs[::-1]) for number in range(6)))

    async with database.session([demand(run) for run in runs]) as session:
        found = [await session.task_run(run.id) for run in runs]
        assert [run.version for run in found if run] == [6] * 20


async def test_a_redelivery_that_waits_for_the_old_commit_finds_its_record(
    postgres_database: Database,
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)

    async def again() -> bool:
        async with postgres_database.session([demand(run, "the same")]) as session:
            return session.recorded("the same", 0) is not None

    async with postgres_database.session([demand(run, "the same")]) as session:
        redelivered = asyncio.create_task(again())
        await until_one_waits(postgres_database)
        session.record(record_of(run, "the same"))

    assert await redelivered


@pytest.mark.parametrize("before", [None, Pending(), Pending(data={"rows": 3})])
async def test_a_state_written_meanwhile_is_the_one_that_is_loaded(
    postgres_database: Database, before: State | None
) -> None:
    run, state = TaskRun(id=uuid7()), Running(data=[1])
    await make_runs(postgres_database, run)
    if before is not None:
        async with postgres_database.session([demand(run)]) as session:
            await enter(session, run, before)

    async def look() -> object:
        async with postgres_database.session([demand(run)]) as session:
            found = await session.task_run(run.id)
            return None if found is None else found.state

    async with postgres_database.session([demand(run)]) as session:
        looking = asyncio.create_task(look())
        await until_one_waits(postgres_database)
        await enter(session, run, state)

    assert await looking == state


async def test_the_same_decision_recorded_twice_at_once_fails_one_in_passing(
    postgres_database: Database,
) -> None:
    """Two requests under one id, but on two runs: no lock keeps them apart."""
    first, second = TaskRun(id=uuid7()), TaskRun(id=uuid7())
    await make_runs(postgres_database, first, second)

    async def record(run: TaskRun, session: Session) -> None:
        session.record(record_of(run, "one id"))

    async def too_late() -> None:
        async with postgres_database.session([demand(second, "one id")]) as session:
            assert session.recorded("one id", 0) is None
            async with postgres_database.session([demand(first, "one id")]) as other:
                await record(first, other)
            await record(second, session)

    with pytest.raises(Exception, match="pk_decision") as caught_error:
        await too_late()

    assert is_duplicate(caught_error.value)


async def test_a_run_read_without_a_lock_and_changed_elsewhere_fails_in_passing(
    postgres_database: Database,
) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(postgres_database, run)

    async def change_both() -> None:
        async with postgres_database.session([]) as session:
            await enter(session, run, Running())
            async with postgres_database.session([demand(run)]) as other:
                await enter(other, run, Failed())

    with pytest.raises(Exception, match="changed by another transaction") as caught_error:
        await change_both()

    assert is_transient(caught_error.value)


async def test_a_run_read_without_a_lock_can_be_changed(database: Database) -> None:
    run, state = TaskRun(id=uuid7()), Running()
    await make_runs(database, run)
    async with database.session([]) as session:
        await enter(session, run, state)

    async with database.session([demand(run)]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        assert (found.state, found.version) == (state, 1)


async def test_a_flow_run_that_others_make_meanwhile_is_known_to_all_of_the_batch(
    postgres_database: Database,
) -> None:
    flow_run = FlowRun(id=uuid7())
    first, second = (TaskRun(id=uuid7(), flow_run_id=flow_run.id) for _ in range(2))

    async def look() -> tuple[Run | None, Run | None]:
        demands = [demand(flow_run), demand(second, create=second)]
        async with postgres_database.session(demands) as session:
            session.make_run(second)
            return await session.flow_run(flow_run.id), await session.task_run(second.id)

    async with postgres_database.session([demand(first, create=first)]) as session:
        session.make_run(first)
        looking = asyncio.create_task(look())
        await until_one_waits(postgres_database)

    assert [run.id for run in await looking if run] == [flow_run.id, second.id]


@pytest.mark.parametrize("first_ends", ["committed", "rolled back", "not wanting it"])
async def test_who_waits_for_the_one_that_makes_the_same_run_makes_it_or_knows_it(
    postgres_database: Database, first_ends: str
) -> None:
    run = TaskRun(id=uuid7(), flow_run_id=uuid7())

    async def second() -> int:
        async with postgres_database.session([demand(run, create=run)]) as session:
            return session.make_run(run).version

    with suppress(GivenUp):
        async with postgres_database.session([demand(run, create=run)]) as session:
            making = asyncio.create_task(second())
            await until_one_waits(postgres_database)
            if first_ends != "not wanting it":
                session.make_run(run)
                await enter(session, run, Pending())
            if first_ends == "rolled back":
                raise GivenUp

    assert await making == (1 if first_ends == "committed" else 0)
    async with postgres_database.session() as session:
        flow_run = await session.flow_run(run.flow_run_id) if run.flow_run_id else None
        assert flow_run is not None
        assert (flow_run.bare, flow_run.version) == (True, 0)


async def test_a_parent_that_others_make_meanwhile_is_locked_too(
    postgres_database: Database,
) -> None:
    run, parent = TaskRun(id=uuid7()), TaskRun(id=uuid7())
    subflow = FlowRun(id=uuid7(), parent_task_run_id=parent.id)

    async def second() -> set[object]:
        demands = [demand(run, create=run), demand(subflow, create=subflow)]
        async with postgres_database.session(demands) as session:
            session.make_run(subflow)
            return await locked(postgres_database)

    demands = [demand(run, create=run), demand(parent, create=parent)]
    async with postgres_database.session(demands) as session:
        session.make_run(run)
        session.make_run(parent)
        looking = asyncio.create_task(second())
        await until_one_waits(postgres_database)

    assert await looking == {run.id, parent.id}
