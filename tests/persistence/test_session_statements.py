"""However long the batch, the statements are as many and their texts the same."""

from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database
from persistence.demands import Demand
from persistence.limits import set_limit
from persistence.records import Forward
from persistence.session import Session
from rules import TaskOrchestrationContext, govern
from rules.identifiers import uuid7
from rules.policies import CoreTaskPolicy, GlobalTaskPolicy
from rules.runs import FlowRun, TaskRun
from rules.states import Completed, Pending, Running, State, StateDetails
from tests.persistence.records import NOON, make_runs, record_of
from tests.persistence.statements import caught

SIZES = (1, 10, 100)


def task_runs(size: int, *, flows: int = 3) -> list[TaskRun]:
    """Task runs of several flow runs, with a limited tag."""
    flow_run_ids = [uuid7() for _ in range(flows)]
    return [
        TaskRun(id=uuid7(), flow_run_id=flow_run_ids[number % flows], tags=("limited", "free"))
        for number in range(size)
    ]


async def propose(session: Session, run: TaskRun, state: State) -> None:
    found = await session.task_run(run.id)
    assert found is not None
    context = TaskOrchestrationContext(
        session=session, run=found, proposed_state=state, now=state.timestamp
    )
    await govern(context, CoreTaskPolicy, GlobalTaskPolicy)
    assert context.written_state is not None


async def batch(database: Database, runs: Sequence[TaskRun], state: State) -> None:
    """One batch in which each run is made where it is unknown, and enters the state."""
    demands = [
        Demand(
            run_id=run.id,
            kind=run.kind,
            create=run,
            request_id=f"{run.id} {state.type}",
            attempt=1,
            from_ladder=True,
            cache_key=state.state_details.cache_key,
            proposes=state.type,
        )
        for run in runs
    ]
    async with database.session(demands) as session:
        session.mark_forwarded([(f"{run.id} PENDING", 1) for run in runs])
        for run, demand in zip(runs, demands, strict=True):
            session.make_run(run)
            await propose(session, run, state.revised(id=uuid7()))
            assert session.recorded(str(demand.request_id), 0) is None
            session.record(record_of(run, str(demand.request_id), 1))


@pytest.fixture
async def limited(database: Database) -> None:
    await set_limit(database, "limited", 1_000)


@pytest.mark.usefixtures("limited")
async def test_the_statements_of_a_batch_do_not_grow_with_it(
    database: Database, engine: AsyncEngine
) -> None:
    cached = StateDetails(cache_key="key")
    by_size: list[list[str]] = []
    for size in SIZES:
        runs = task_runs(size, flows=min(size, 3))
        with caught(engine) as sent:
            for state in (
                Pending(timestamp=NOON),
                Running(timestamp=NOON, state_details=StateDetails(cache_key=str(size))),
                Completed(timestamp=NOON, data={"rows": 1}, state_details=cached),
            ):
                await batch(database, runs, state)
        by_size.append(sent)

    assert by_size[0] == by_size[1] == by_size[2]


@pytest.mark.usefixtures("limited")
async def test_subflows_take_no_statement_each(database: Database, engine: AsyncEngine) -> None:
    numbers = []
    for size in SIZES:
        parents = [TaskRun(id=uuid7()) for _ in range(size)]
        subflows = [FlowRun(id=uuid7(), parent_task_run_id=run.id) for run in parents]
        await make_runs(database, *parents, *subflows)
        with caught(engine) as sent:
            async with database.session(
                [Demand(run_id=run.id, kind=run.kind) for run in subflows]
            ) as session:
                for subflow, parent in zip(subflows, parents, strict=True):
                    assert await session.flow_run(subflow.id) is not None
                    assert await session.task_run(parent.id) is not None
        numbers.append(len(sent))

    assert len(set(numbers)) == 1


async def test_replayed_dead_letters_cost_a_statement_only_where_a_message_claims_to_be_one(
    database: Database, engine: AsyncEngine
) -> None:
    async with database.session() as session:
        session.record(record_of(None, "delayed", forward=Forward.DELAY))
        session.record(record_of(None, "aborted", forward=Forward.DEAD_LETTER))
    asked = {}
    for request_id, attempt in (("delayed", 1), ("aborted", 0), ("aborted", 1)):
        demand = Demand(request_id=request_id, attempt=attempt, from_ladder=True)
        with caught(engine) as sent:
            async with database.session([demand]) as session:
                assert not session.is_replayed(request_id, attempt - 1)
        asked[request_id, attempt] = sum("FROM dead_letter" in each for each in sent)

    assert asked == {("delayed", 1): 0, ("aborted", 0): 0, ("aborted", 1): 1}


async def test_what_has_nothing_to_do_is_not_sent(database: Database, engine: AsyncEngine) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(database, run)
    with caught(engine) as sent:
        async with database.session([Demand(run_id=run.id, kind=run.kind)]) as session:
            assert await session.task_run(run.id) is not None

    assert [statement for statement in sent if not statement.startswith("BEGIN")] == [
        statement for statement in sent if statement.startswith("SELECT run.id")
    ]


async def test_a_batch_of_nothing_sends_nothing(database: Database, engine: AsyncEngine) -> None:
    with caught(engine) as sent:
        async with database.session([]):
            pass

    assert [statement for statement in sent if not statement.startswith("BEGIN")] == []


@pytest.mark.usefixtures("limited")
async def test_runs_that_are_known_are_not_inserted_again(
    database: Database, engine: AsyncEngine
) -> None:
    run = TaskRun(id=uuid7())
    inserted: list[bool] = []
    for state in (Pending(timestamp=NOON), Running(timestamp=NOON)):
        with caught(engine) as sent:
            await batch(database, [run], state)
        inserted.append(any(statement.startswith("INSERT INTO run ") for statement in sent))
    assert inserted == [True, False]
