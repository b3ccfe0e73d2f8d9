"""Runs: the same one is the same object, and what is changed on it is written."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from rules.identifiers import uuid7
from rules.runs import FlowRun, Run, RunPolicy, TaskRun
from rules.states import Completed, Failed, Running, StateType
from tests.contract.storage import Storage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def described(run: Run | None) -> dict[str, object]:
    assert run is not None
    return {field.name: getattr(run, field.name) for field in fields(run)}


async def made(storage: Storage, *runs: Run) -> None:
    async with storage.transaction([run.id for run in runs], new_runs=runs):
        pass


async def test_a_new_run_is_there_as_it_was_described(storage: Storage) -> None:
    parent = TaskRun(id=uuid7())
    flow_run = FlowRun(
        id=uuid7(),
        name="nightly",
        tags=("prod", "etl"),
        policy=RunPolicy(retries=2, retry_delay=1.5),
        deployment_id="nightly/prod",
        parent_task_run_id=parent.id,
    )
    task_run = TaskRun(
        id=uuid7(),
        name="extract",
        tags=("db",),
        policy=RunPolicy(retries=0),
        flow_run_id=flow_run.id,
        task_key="etl.extract",
        dynamic_key="0",
    )
    await made(storage, parent, flow_run, task_run)

    async with storage.transaction([flow_run.id, task_run.id]) as session:
        assert described(await session.flow_run(flow_run.id)) == described(flow_run)
        assert described(await session.task_run(task_run.id)) == described(task_run)


async def test_a_run_that_is_known_is_not_made_again(storage: Storage) -> None:
    run = TaskRun(id=uuid7(), name="first")
    await made(storage, run)

    again = TaskRun(id=run.id, name="second")
    async with storage.transaction([run.id], new_runs=[again]) as session:
        found = await session.task_run(run.id)

    assert found is not None
    assert found.name == "first"


async def test_an_unknown_run_is_none(storage: Storage) -> None:
    stranger = uuid7()
    async with storage.transaction([stranger]) as session:
        assert await session.flow_run(stranger) is None
        assert await session.task_run(stranger) is None


async def test_a_run_of_the_other_kind_is_none(storage: Storage) -> None:
    flow_run, task_run = FlowRun(id=uuid7()), TaskRun(id=uuid7())
    await made(storage, flow_run, task_run)

    async with storage.transaction([flow_run.id, task_run.id]) as session:
        assert await session.task_run(flow_run.id) is None
        assert await session.flow_run(task_run.id) is None


async def test_the_same_run_is_the_same_object_each_time(storage: Storage) -> None:
    flow_run = FlowRun(id=uuid7())
    task_run = TaskRun(id=uuid7(), flow_run_id=flow_run.id)
    await made(storage, flow_run, task_run)

    async with storage.transaction([task_run.id, flow_run.id]) as session:
        flow, task = await session.flow_run(flow_run.id), await session.task_run(task_run.id)
        assert flow is not None
        assert task is not None
        task.state_type = StateType.FAILED
        session.write_state(task, Failed())

        assert await session.flow_run(flow_run.id) is flow
        assert await session.task_run(task_run.id) is task
        assert [run is task for run in await session.failed_task_runs(flow_run.id)] == [True]


async def test_what_was_changed_on_a_run_is_there_after_the_commit(storage: Storage) -> None:
    run = TaskRun(id=uuid7())
    await made(storage, run)

    async with storage.transaction([run.id]) as session:
        changed = await session.task_run(run.id)
        assert changed is not None
        state = Running(timestamp=NOON)
        changed.state_type, changed.state_name = state.type, state.name
        changed.state_timestamp = changed.start_time = changed.expected_start_time = NOON
        changed.end_time = changed.next_scheduled_start_time = NOON
        changed.run_count, changed.flow_run_run_count = 3, 2
        changed.total_run_time = 12.25
        session.write_state(changed, state)
    expected = described(changed)

    async with storage.transaction([run.id]) as session:
        assert described(await session.task_run(run.id)) == expected
    assert (changed.version, changed.state) == (1, state)


async def test_a_rolled_back_transaction_leaves_nothing(storage: Storage) -> None:
    known, new = TaskRun(id=uuid7()), TaskRun(id=uuid7())
    await made(storage, known)

    async def change_and_fail() -> None:
        async with storage.transaction([known.id, new.id], new_runs=[new]) as session:
            changed = await session.task_run(known.id)
            assert changed is not None
            changed.run_count = 7
            session.write_state(changed, Running())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_and_fail()

    async with storage.transaction([known.id, new.id]) as session:
        assert described(await session.task_run(known.id)) == described(known)
        assert await session.task_run(new.id) is None
    assert await storage.states(known.id) == []


async def test_the_failed_task_runs_of_a_flow_run_come_in_id_order(storage: Storage) -> None:
    flow_run, other = FlowRun(id=uuid7()), FlowRun(id=uuid7())
    runs = [TaskRun(id=uuid7(), flow_run_id=flow_run.id) for _ in range(4)]
    stranger = TaskRun(id=uuid7(), flow_run_id=other.id)
    await made(storage, flow_run, other, *runs, stranger)

    everyone = [run.id for run in (flow_run, *runs, stranger)]
    async with storage.transaction(everyone) as session:
        for run_id, state in [
            (runs[2].id, Failed()),
            (runs[0].id, Failed()),
            (runs[1].id, Completed()),
            (stranger.id, Failed()),
        ]:
            run = await session.task_run(run_id)
            assert run is not None
            run.state_type = state.type
            session.write_state(run, state)
        failed_now = [run.id for run in await session.failed_task_runs(flow_run.id)]

    async with storage.transaction([flow_run.id]) as session:
        failed_later = [run.id for run in await session.failed_task_runs(flow_run.id)]

    assert failed_now == failed_later == [runs[0].id, runs[2].id]


async def test_a_run_is_no_longer_failed_once_that_was_written(storage: Storage) -> None:
    flow_run = FlowRun(id=uuid7())
    task_run = TaskRun(id=uuid7(), flow_run_id=flow_run.id)
    await made(storage, flow_run, task_run)
    async with storage.transaction([flow_run.id, task_run.id]) as session:
        run = await session.task_run(task_run.id)
        assert run is not None
        run.state_type = StateType.FAILED
        session.write_state(run, Failed())

    async with storage.transaction([flow_run.id, task_run.id]) as session:
        run = await session.task_run(task_run.id)
        assert run is not None
        run.state_type = StateType.RUNNING
        session.write_state(run, Running())
        assert await session.failed_task_runs(flow_run.id) == []
