"""What one request changed can be taken back without the rest."""

from dataclasses import fields
from datetime import UTC, datetime

from rules.identifiers import uuid7
from rules.runs import FlowRun, Run, TaskRun
from rules.session import TransactionalSession
from rules.states import Completed, Failed, Running
from tests.contract.storage import Storage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def described(run: Run) -> dict[str, object]:
    return {field.name: getattr(run, field.name) for field in fields(run)}


async def found(session: TransactionalSession, run: TaskRun) -> TaskRun:
    task_run = await session.task_run(run.id)
    assert task_run is not None
    return task_run


async def change_all(session: TransactionalSession, run: TaskRun) -> None:
    """Change a run in every way in which a request can."""
    run.run_count, run.total_run_time, run.start_time = 5, 60.0, NOON
    state = Completed(data={"of": "the request"})
    run.state_type, run.state_name, run.state_timestamp = state.type, state.name, NOON
    session.write_state(run, state)
    session.write_artifact(run, state)
    session.remember_state("key", state, None)
    session.release_slots(run.id, ["held"])
    session.take_slots(run.id, ["taken"])


async def test_an_undone_request_leaves_all_as_it_was(storage: Storage) -> None:
    await storage.set_limits({"held": 1, "taken": 1})
    run = TaskRun(id=uuid7(), tags=("held", "taken"))
    async with storage.transaction([run.id], new_runs=[run]) as session:
        session.begin_request()
        task_run = await found(session, run)
        session.take_slots(task_run.id, ["held"])
        running = Running()
        session.write_state(task_run, running)
        before = described(task_run)

        session.begin_request()
        await change_all(session, await found(session, run))
        await session.undo_request()

        assert described(task_run) == before
        assert await session.slots_held(run.id) == {"held"}
        assert (await session.slots_taken(["taken"])).get("taken", 0) == 0
        assert await session.cached_state("key", NOON) is None

    async with storage.transaction([run.id]) as session:
        assert described(await found(session, run)) == before
        assert await session.slots_held(run.id) == {"held"}
        assert await session.cached_state("key", NOON) is None
    assert await storage.states(run.id) == [running]
    assert await storage.artifacts(run.id) == []


async def test_an_undone_run_is_still_the_same_object(storage: Storage) -> None:
    run = TaskRun(id=uuid7())
    async with storage.transaction([run.id], new_runs=[run]) as session:
        session.begin_request()
        task_run = await found(session, run)
        await change_all(session, task_run)
        await session.undo_request()

        assert await session.task_run(run.id) is task_run


async def test_a_run_made_before_the_request_outlives_it(storage: Storage) -> None:
    run = TaskRun(id=uuid7(), name="new")
    async with storage.transaction([run.id], new_runs=[run]) as session:
        session.begin_request()
        await change_all(session, await found(session, run))
        await session.undo_request()

    async with storage.transaction([run.id]) as session:
        assert described(await found(session, run)) == described(run)


async def test_a_run_handed_out_before_belongs_to_the_request_that_asks_again(
    storage: Storage,
) -> None:
    run = TaskRun(id=uuid7())
    async with storage.transaction([run.id], new_runs=[run]) as session:
        early = await found(session, run)
        session.begin_request()
        await found(session, run)
        early.run_count = 9
        await session.undo_request()

        assert early.run_count == 0


async def test_failed_task_runs_belong_to_the_request_that_asks_for_them(storage: Storage) -> None:
    flow_run = FlowRun(id=uuid7())
    task_run = TaskRun(id=uuid7(), flow_run_id=flow_run.id)
    ids = [flow_run.id, task_run.id]
    async with storage.transaction(ids, new_runs=[flow_run, task_run]) as session:
        failed = await found(session, task_run)
        failed.state_type = Failed().type
        session.write_state(failed, Failed())

        session.begin_request()
        for run in await session.failed_task_runs(flow_run.id):
            run.run_count = 3
            session.write_state(run, Running())
        await session.undo_request()

        assert [run.id for run in await session.failed_task_runs(flow_run.id)] == [task_run.id]
        assert failed.run_count == 0


async def test_what_other_requests_did_stays(storage: Storage) -> None:
    runs = [TaskRun(id=uuid7()) for _ in range(3)]
    states = [Running() for _ in runs]
    async with storage.transaction([run.id for run in runs], new_runs=runs) as session:
        for number, (run, state) in enumerate(zip(runs, states, strict=True)):
            session.begin_request()
            task_run = await found(session, run)
            session.write_state(task_run, state)
            if number == 1:
                await session.undo_request()

    assert [await storage.states(run.id) for run in runs] == [[states[0]], [], [states[2]]]


async def test_a_request_can_begin_anew_after_it_was_undone(storage: Storage) -> None:
    run, state = TaskRun(id=uuid7()), Running()
    async with storage.transaction([run.id], new_runs=[run]) as session:
        session.begin_request()
        session.write_state(await found(session, run), Running())
        await session.undo_request()
        session.begin_request()
        session.write_state(await found(session, run), state)

    assert await storage.states(run.id) == [state]


async def test_an_error_of_a_hook_is_not_a_passing_one_of_storage(storage: Storage) -> None:
    async with storage.transaction([]) as session:
        assert not session.is_transient(ValueError("of a rule"))
