"""What consumers do in the database, message by message, each kind of work once."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from persistence.begun import (
    begun_before,
    count_begun,
    count_failure,
    remember_sender,
    uncount_begun,
)
from persistence.database import Database
from persistence.demands import Demand
from rules.identifiers import uuid7
from rules.runs import FlowRun, TaskRun
from rules.states import AwaitingRetry, Failed, StateType
from tests.persistence.crowd import (
    Asked,
    Crowd,
    batch,
    begun_key,
    completed,
    failed,
    new_flow_runs,
    new_subflow_runs,
    new_task_runs,
    pending,
    propose,
    request_id,
    running,
)
from tests.persistence.dead_letters.letters import of_request
from tests.persistence.records import NOON, enter, record_letters

Work: TypeAlias = Callable[[Database, Crowd], Awaitable[None]]

_OLD_CLIENT = {"api-version": "0.8.2"}


async def _new_flows_and_tasks(database: Database, _crowd: Crowd) -> None:
    """Task runs come before their flow runs, which are bare at first."""
    flow_runs = new_flow_runs()
    task_runs = new_task_runs([run.id for run in flow_runs])
    await batch(database, pending(task_runs))
    await batch(database, pending(flow_runs))
    for steps in (running(flow_runs), running(task_runs), completed(task_runs)):
        await batch(database, steps)


async def _new_runs_that_are_not_wanted(database: Database, crowd: Crowd) -> None:
    new = new_task_runs([run.id for run in crowd.flow_runs])
    async with database.session([each.demand() for each in pending(new)]):
        pass


async def _retries_of_task_runs(database: Database, crowd: Crowd) -> None:
    """Their second attempts, by the ladder, while the first were aborted into the dead letters."""
    flow_run = crowd.flow_runs[0]
    async with database.session([Demand(run_id=flow_run.id)]) as session:
        found = await session.flow_run(flow_run.id)
        assert found is not None
        found.run_count += 1  # so that failed task runs may run again
    again = [run for run in crowd.failed if run.flow_run_id == flow_run.id]
    await batch(database, running(again, attempt=1))


async def _retries_of_flow_runs(database: Database, crowd: Crowd) -> None:
    """Of old clients: the failed task runs are forced along."""
    async with database.session(
        [each.demand() for each in failed(crowd.flow_runs[1:3], **_OLD_CLIENT)]
    ) as session:
        for each in failed(crowd.flow_runs[1:3], **_OLD_CLIENT):
            assert await session.failed_task_runs(each.run.id)
            await propose(session, each)
            assert not await session.failed_task_runs(each.run.id)


async def _retries_of_flow_runs_unforeseen(database: Database, crowd: Crowd) -> None:
    """The same where nothing but a rule knew that the failed task runs are wanted."""
    flow_run = crowd.flow_runs[3]
    async with database.session([Demand(run_id=flow_run.id)]) as session:
        for task_run in await session.failed_task_runs(flow_run.id):
            await enter(session, task_run, AwaitingRetry(NOON, timestamp=NOON))


async def _subflow_runs(database: Database, crowd: Crowd) -> None:
    """New ones, and some that end, with the task runs that stand for them."""
    parents = [TaskRun(id=uuid7()) for _ in crowd.subflow_runs]
    subflow_runs = new_subflow_runs(parents)
    await batch(database, pending(parents))
    for steps in (pending(subflow_runs), running(subflow_runs), completed(crowd.subflow_runs)):
        await batch(database, steps)


async def _runs_that_rules_ask_for(database: Database, crowd: Crowd) -> None:
    """Such as no demand named."""
    async with database.session() as session:
        await enter(session, crowd.completed[0], Failed(timestamp=NOON))
        assert isinstance(await session.run(crowd.flow_runs[4].id), FlowRun)


async def _cached_results(database: Database, crowd: Crowd) -> None:
    """New task runs under the keys of results."""
    new = new_task_runs([crowd.flow_runs[4].id], len(crowd.completed))
    keys = [each.state.state_details for each in completed(crowd.completed)]
    await batch(database, pending(new))
    asked = [
        Asked(each.run, each.state.revised(state_details=details))
        for each, details in zip(running(new), keys, strict=True)
    ]
    async with database.session([each.demand() for each in asked]) as session:
        for each in asked:
            await propose(session, each)
            found = await session.task_run(each.run.id)
            assert found is not None
            assert found.state_type is StateType.COMPLETED


async def _redelivered_requests(database: Database, crowd: Crowd) -> None:
    asked = failed(crowd.failed)
    counts = dict.fromkeys(map(begun_key, asked), 2)
    assert await begun_before(database, [(each.request_id, 0) for each in asked])
    await count_begun(database, counts, NOON)
    await uncount_begun(database, counts, NOON)
    await count_failure(database, begun_key(asked[0]), NOON)
    await remember_sender(database, begun_key(running(crowd.running)[0]), NOON)


async def _what_the_broker_confirmed(database: Database, crowd: Crowd) -> None:
    dead = [request_id(run, Failed()) for run in crowd.failed]
    async with database.session() as session:
        session.mark_forwarded([(each, 0) for each in dead])
    await record_letters(database, *(of_request(each) for each in dead))


async def _replayed_letters(database: Database, crowd: Crowd) -> None:
    again = [
        Demand(request_id=request_id(run, Failed()), attempt=1, from_ladder=True)
        for run in crowd.failed
    ]
    async with database.session(again) as session:
        assert not session.is_replayed(str(again[0].request_id), 0)


WORK: Mapping[str, Work] = MappingProxyType(
    {
        work.__name__.strip("_").replace("_", " "): work
        for work in (
            _new_flows_and_tasks,
            _new_runs_that_are_not_wanted,
            _retries_of_task_runs,
            _retries_of_flow_runs,
            _retries_of_flow_runs_unforeseen,
            _subflow_runs,
            _runs_that_rules_ask_for,
            _cached_results,
            _redelivered_requests,
            _what_the_broker_confirmed,
            _replayed_letters,
        )
    }
)
