"""Traces over storage: each step governed in a transaction of its own."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from rules import (
    FlowOrchestrationContext,
    FlowRun,
    GenericOrchestrationContext,
    Run,
    RunKind,
    RunPolicy,
    StateWaitDetails,
    TaskOrchestrationContext,
    TaskRun,
    TransactionalSession,
    govern,
)
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.policies import (
    CoreFlowPolicy,
    CoreTaskPolicy,
    GlobalFlowPolicy,
    GlobalTaskPolicy,
    MinimalFlowPolicy,
    MinimalTaskPolicy,
)
from tests.conformance.backend import Outcome
from tests.conformance.traces import Step, Trace, TracedRun, apart
from tests.contract.storage import Storage


class SessionBackend:
    """Sets worlds up in storage: a new one for each, or one that they share."""

    at_once = 1

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage

    @asynccontextmanager
    async def world(self, trace: Trace) -> AsyncIterator["SessionWorld"]:
        trace = apart(trace)
        storage, runs = self._storage(), _runs(trace)
        await storage.set_limits(trace.limits)
        async with storage.transaction([run.id for run in runs.values()], new_runs=runs.values()):
            pass
        yield SessionWorld(storage, runs)


class SessionWorld:
    """A world in storage; ``runs`` are as they were made, by key."""

    def __init__(self, storage: Storage, runs: Mapping[str, Run]) -> None:
        self._storage = storage
        self._runs = runs

    async def propose(self, step: Step) -> Outcome:
        now, run = utc_now(), self._runs[step.run]
        async with self._storage.transaction([run.id]) as session:
            context = await _governed(session, run, step, now)
            return await _outcome(context)


async def _governed(
    session: TransactionalSession, made: Run, step: Step, now: datetime
) -> GenericOrchestrationContext:
    state = step.propose.state(now)
    if isinstance(made, FlowRun):
        flow_run = await session.flow_run(made.id)
        assert flow_run is not None
        flow = FlowOrchestrationContext(
            session=session, run=flow_run, proposed_state=state, now=now
        )
        await govern(flow, MinimalFlowPolicy if step.force else CoreFlowPolicy, GlobalFlowPolicy)
        return flow
    task_run = await session.task_run(made.id)
    assert task_run is not None
    task = TaskOrchestrationContext(session=session, run=task_run, proposed_state=state, now=now)
    await govern(task, MinimalTaskPolicy if step.force else CoreTaskPolicy, GlobalTaskPolicy)
    return task


async def _outcome(context: GenericOrchestrationContext) -> Outcome:
    run, details = context.run, context.response_details
    parent = None
    if isinstance(run, FlowRun) and run.parent_task_run_id is not None:
        parent = await context.session.task_run(run.parent_task_run_id)
    return Outcome(
        status=context.response_status,
        code=details.code,
        delay_seconds=details.delay_seconds if isinstance(details, StateWaitDetails) else None,
        state=context.written_state,
        run=_described(run),
        parent_task=None if parent is None else _described(parent),
        now=context.now,
    )


def _described(run: Run) -> Mapping[str, Any]:
    return {described.name: getattr(run, described.name) for described in fields(run)}


def _runs(trace: Trace) -> Mapping[str, Run]:
    ids = {traced.key: uuid7() for traced in trace.runs}
    return {traced.key: _run(traced, ids) for traced in trace.runs}


def _run(traced: TracedRun, ids: Mapping[str, UUID]) -> Run:
    run_id, tags = ids[traced.key], traced.tags
    policy = RunPolicy(retries=traced.retries, retry_delay=traced.retry_delay)
    if traced.kind is RunKind.TASK:
        flow_run_id = ids[traced.flow] if traced.flow else None
        return TaskRun(id=run_id, tags=tags, policy=policy, flow_run_id=flow_run_id)
    return FlowRun(
        id=run_id,
        tags=tags,
        policy=policy,
        deployment_id="a deployment" if traced.deployed else None,
        parent_task_run_id=ids[traced.parent_task] if traced.parent_task else None,
    )
