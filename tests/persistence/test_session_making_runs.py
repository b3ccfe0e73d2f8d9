"""Runs that are made: at the first request that may make them, and only then."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from persistence.database import Database
from persistence.demands import Demand
from persistence.errors import NotDemandedError
from persistence.schema import RunRow
from rules.identifiers import uuid7
from rules.runs import FlowRun, Run, RunPolicy, TaskRun
from rules.states import Running
from tests.persistence.records import enter, make_runs


def creating(*runs: Run) -> list[Demand]:
    return [Demand(run_id=run.id, kind=run.kind, create=run) for run in runs]


async def rows(database: Database) -> dict[UUID, Any]:
    async with database.reading() as connection:
        found = await connection.execute(select(RunRow.__table__))
        return {row.id: row for row in found}


async def looked_up(database: Database, run_id: UUID) -> Run | None:
    async with database.session([Demand(run_id=run_id)]) as session:
        return await session.run(run_id)


async def test_a_run_is_not_there_before_it_is_made(database: Database) -> None:
    run = TaskRun(id=uuid7(), name="extract")
    async with database.session(creating(run)) as session:
        assert await session.run(run.id) is None
        made = session.make_run(run)
        assert await session.run(run.id) is made

    assert await looked_up(database, run.id) == run


async def test_what_was_demanded_and_not_made_leaves_nothing(database: Database) -> None:
    flow_run_id = uuid7()
    runs = [TaskRun(id=uuid7(), flow_run_id=flow_run_id) for _ in range(2)]
    async with database.session(creating(*runs)):
        pass

    assert await rows(database) == {}


async def test_a_run_is_made_as_the_request_says_that_makes_it(database: Database) -> None:
    """Not as another request of the batch said, which was refused before."""
    refused = FlowRun(id=uuid7(), name="refused", tags=("a",))
    made = TaskRun(id=refused.id, name="made", flow_run_id=uuid7(), policy=RunPolicy(retries=1))
    async with database.session(creating(refused, made)) as session:
        session.make_run(made)

    assert await looked_up(database, made.id) == made


async def test_an_unknown_flow_run_is_made_bare_with_its_task_run(database: Database) -> None:
    run = TaskRun(id=uuid7(), flow_run_id=uuid7())
    assert run.flow_run_id is not None
    async with database.session(creating(run)) as session:
        assert await session.flow_run(run.flow_run_id) is None
        session.make_run(run)
        assert await session.flow_run(run.flow_run_id) == FlowRun(id=run.flow_run_id, bare=True)

    assert await looked_up(database, run.flow_run_id) == FlowRun(id=run.flow_run_id, bare=True)


async def test_a_bare_flow_run_is_filled_in_by_its_own_request(database: Database) -> None:
    flow_run = FlowRun(id=uuid7(), name="nightly", tags=("a",), deployment_id="nightly/prod")
    await make_runs(database, TaskRun(id=uuid7(), flow_run_id=flow_run.id))
    async with database.session(creating(flow_run)) as session:
        bare = await session.flow_run(flow_run.id)
        assert bare is not None
        await enter(session, bare, Running())
    async with database.session(creating(flow_run)) as session:
        filled = session.make_run(flow_run)
        assert (filled.version, filled.bare) == (1, False)

    found = await looked_up(database, flow_run.id)
    assert isinstance(found, FlowRun)
    assert (found.name, found.tags, found.deployment_id) == ("nightly", ("a",), "nightly/prod")
    assert (found.version, found.bare) == (1, False)


async def test_a_bare_flow_run_is_filled_in_only_once(database: Database) -> None:
    flow_run = FlowRun(id=uuid7(), name="first")
    await make_runs(database, TaskRun(id=uuid7(), flow_run_id=flow_run.id), flow_run)
    await make_runs(database, FlowRun(id=flow_run.id, name="second"))

    found = await looked_up(database, flow_run.id)
    assert found is not None
    assert found.name == "first"


async def test_a_bare_flow_run_is_not_filled_in_by_a_request_for_a_task_run(
    database: Database,
) -> None:
    flow_run_id = uuid7()
    await make_runs(database, TaskRun(id=uuid7(), flow_run_id=flow_run_id))
    await make_runs(database, TaskRun(id=flow_run_id, name="a task run"))

    assert await looked_up(database, flow_run_id) == FlowRun(id=flow_run_id, bare=True)


async def test_a_flow_run_made_for_its_task_run_only_is_bare_though_its_own_request_came_too(
    database: Database,
) -> None:
    flow_run = FlowRun(id=uuid7(), name="of a refused request")
    task_run = TaskRun(id=uuid7(), flow_run_id=flow_run.id)
    async with database.session(creating(flow_run, task_run)) as session:
        session.make_run(task_run)

    assert await looked_up(database, flow_run.id) == FlowRun(id=flow_run.id, bare=True)


@pytest.mark.parametrize("flow_first", [True, False])
async def test_a_flow_run_and_its_task_run_can_be_made_in_one_batch(
    database: Database, *, flow_first: bool
) -> None:
    flow_run = FlowRun(id=uuid7(), name="nightly")
    task_run = TaskRun(id=uuid7(), flow_run_id=flow_run.id)
    runs: list[Run] = [flow_run, task_run] if flow_first else [task_run, flow_run]
    await make_runs(database, *runs)

    assert await looked_up(database, flow_run.id) == flow_run
    assert await looked_up(database, task_run.id) == task_run


async def test_a_run_can_be_its_own_flow_run_without_harm(database: Database) -> None:
    run_id = uuid7()
    await make_runs(database, TaskRun(id=run_id, flow_run_id=run_id))
    async with database.session([Demand(run_id=run_id)]) as session:
        assert await session.task_run(run_id) is not None
        assert await session.flow_run(run_id) is None


async def test_a_run_made_and_undone_is_still_made(database: Database) -> None:
    run = TaskRun(id=uuid7(), flow_run_id=uuid7())
    async with database.session(creating(run)) as session:
        session.make_run(run)
        session.begin_request()
        await enter(session, run, Running())
        await session.undo_request()

    assert await looked_up(database, run.id) == run


async def test_a_run_that_no_demand_creates_can_not_be_made(database: Database) -> None:
    async with database.session([]) as session:
        with pytest.raises(NotDemandedError):
            session.make_run(TaskRun(id=uuid7()))


async def test_no_other_transaction_sees_a_run_that_is_not_wanted_yet(
    postgres_database: Database,
) -> None:
    run = TaskRun(id=uuid7())
    async with postgres_database.session(creating(run)):
        assert await rows(postgres_database) == {}


async def test_a_run_is_stored_as_it_was_described(database: Database) -> None:
    """So what was inserted need not be read again to be known."""
    runs = (
        TaskRun(
            id=uuid7(),
            name="é\u2028\U0001f600 ",
            tags=("b", "a", "b", '"\\'),
            policy=RunPolicy(retries=2**31 - 1, retry_delay=0.1 + 0.2),
            flow_run_id=uuid7(),
            task_key="",
            dynamic_key=" ",
        ),
        FlowRun(
            id=uuid7(),
            deployment_id="d",
            parent_task_run_id=uuid7(),
            policy=RunPolicy(retry_delay=1e308),
        ),
    )
    async with database.session(creating(*runs)) as session:
        for run in runs:
            session.make_run(run)

    for run in runs:
        assert await looked_up(database, run.id) == run
