"""Prefect's orchestration engine, called without a server; runs in Prefect's environment.

As its server does, each transition has a session and a transaction of its own, and is governed by
the Core policy. The database is the one that Prefect's settings name.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID, uuid4

from prefect.server import models
from prefect.server.database import PrefectDBInterface, provide_database_interface
from prefect.server.orchestration.core_policy import CoreTaskPolicy
from prefect.server.schemas.core import Flow, FlowRun, TaskRun
from prefect.server.schemas.states import Running, State

from benchmarks.prefect.inside.orders import carry_out


async def _prepare(database: PrefectDBInterface, count: int) -> Sequence[UUID]:
    """New task runs of a flow run that is running: those of another may not start."""
    async with database.session_context(begin_transaction=True) as session:
        flow = await models.flows.create_flow(session=session, flow=Flow(name=str(uuid4())))
        flow_run = await models.flow_runs.create_flow_run(
            session=session, flow_run=FlowRun(flow_id=flow.id, state=Running())
        )
        task_runs = [
            TaskRun(flow_run_id=flow_run.id, task_key="bench", dynamic_key=str(number))
            for number in range(count)
        ]
        return [
            (await models.task_runs.create_task_run(session=session, task_run=task_run)).id
            for task_run in task_runs
        ]


async def _propose(database: PrefectDBInterface, task_run: UUID, step: str) -> None:
    async with database.session_context(begin_transaction=True) as session:
        result = await models.task_runs.set_task_run_state(
            session=session,
            task_run_id=task_run,
            state=State(type=step),
            task_policy=CoreTaskPolicy,
        )
    if result.status.value != "ACCEPT":
        raise RuntimeError(f"{step} was not accepted: {result.details}")


async def _main() -> None:
    database = provide_database_interface()
    await database.create_db()
    await carry_out(partial(_prepare, database), partial(_propose, database))


if __name__ == "__main__":
    asyncio.run(_main())
