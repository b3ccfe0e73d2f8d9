"""States and artifacts: written in order, and pointed at by their run."""

from datetime import UTC, datetime, timedelta

from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed, Pending, Running, Scheduled, State, StateDetails
from tests.contract.storage import Storage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FULL = State(
    type=Completed().type,
    name="Done",
    timestamp=NOON + timedelta(microseconds=123_456),
    message="all went well",
    data={"rows": [1, 2.5, None, True, "café"], "nested": {}},
    state_details=StateDetails(
        flow_run_id=uuid7(),
        task_run_id=uuid7(),
        child_flow_run_id=uuid7(),
        scheduled_time=NOON,
        cache_key="rows-of-today",
        cache_expiration=NOON,
        untrackable_result=True,
    ),
)


async def written(storage: Storage, run: TaskRun, *states: State) -> None:
    async with storage.transaction([run.id], new_runs=[run]) as session:
        for state in states:
            found = await session.task_run(run.id)
            assert found is not None
            session.write_state(found, state)


async def test_the_run_points_at_its_state_at_once(storage: Storage) -> None:
    run, state = TaskRun(id=uuid7()), Pending()
    async with storage.transaction([run.id], new_runs=[run]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        session.write_state(found, state)

        assert (found.state, found.state_id) == (state, state.id)


async def test_a_state_comes_back_as_it_was_written(storage: Storage) -> None:
    run = TaskRun(id=uuid7())
    await written(storage, run, FULL)

    async with storage.transaction([run.id]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        assert found.state == FULL
    assert await storage.states(run.id) == [FULL]


async def test_each_state_written_counts_the_version_up_by_one(storage: Storage) -> None:
    run, states = TaskRun(id=uuid7()), [Scheduled(NOON), Pending(), Running()]
    await written(storage, run, *states)
    await written(storage, run, Completed())

    async with storage.transaction([run.id]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        assert found.version == 4


async def test_states_are_kept_in_the_order_in_which_they_were_written(storage: Storage) -> None:
    run = TaskRun(id=uuid7())
    states = [Running(timestamp=NOON), Pending(timestamp=NOON), Scheduled(NOON, timestamp=NOON)]
    await written(storage, run, *states)

    assert await storage.states(run.id) == states


async def test_an_artifact_keeps_the_data_of_a_written_state(storage: Storage) -> None:
    run = TaskRun(id=uuid7())
    async with storage.transaction([run.id], new_runs=[run]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        for data in ({"rows": 3}, "text", [1, 2], 0, False):
            state = Completed(data=data)
            session.write_state(found, state)
            session.write_artifact(found, state)

    assert await storage.artifacts(run.id) == [{"rows": 3}, "text", [1, 2], 0, False]
