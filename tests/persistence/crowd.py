"""A crowd of runs with all that comes to be on record of them, to be multiplied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from persistence.begun import BegunKey, count_begun
from persistence.database import Database
from persistence.demands import Demand
from persistence.limits import set_limit
from persistence.records import Forward
from persistence.session import Session
from rules import FlowOrchestrationContext, TaskOrchestrationContext, govern
from rules.identifiers import uuid7
from rules.policies import CoreFlowPolicy, CoreTaskPolicy, GlobalFlowPolicy, GlobalTaskPolicy
from rules.runs import FlowRun, Run, RunPolicy, TaskRun
from rules.states import Completed, Failed, Pending, Running, State, StateDetails
from tests.persistence.dead_letters.letters import of_request
from tests.persistence.records import NOON, record_letters, record_of

TAGS = ("limited-0", "limited-1", "limited-2", "limited-3")
_FLOWS = 5
_TASKS = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the run, to be made where it is unknown, and the state that is proposed."""

    run: Run
    state: State
    attempt: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def request_id(self) -> str:
        return request_id(self.run, self.state)

    def demand(self) -> Demand:
        return Demand(
            run_id=self.run.id,
            kind=self.run.kind,
            create=self.run,
            request_id=self.request_id,
            attempt=self.attempt,
            from_ladder=self.attempt > 0,
            cache_key=self.state.state_details.cache_key,
            proposes=self.state.type,
            forces_task_runs="api-version" in self.parameters,
        )


@dataclass(frozen=True, slots=True)
class Crowd:
    """Flow runs that run, subflows among them; of their task runs some run, some have failed.

    The first task runs stand for the subflows. Each of the failed ones has a dead letter too.
    """

    flow_runs: Sequence[FlowRun]
    subflow_runs: Sequence[FlowRun]
    running: Sequence[TaskRun]
    completed: Sequence[TaskRun]
    failed: Sequence[TaskRun]


def request_id(run: Run, state: State) -> str:
    return f"{run.id} {state.type}"


def new_flow_runs() -> list[FlowRun]:
    return [FlowRun(id=uuid7(), policy=RunPolicy(retries=3)) for _ in range(_FLOWS)]


def new_task_runs(flow_run_ids: Sequence[UUID], count: int = _TASKS) -> list[TaskRun]:
    return [
        TaskRun(
            id=uuid7(),
            flow_run_id=flow_run_ids[number % len(flow_run_ids)],
            tags=(TAGS[number % len(TAGS)], "free"),
        )
        for number in range(count)
    ]


def new_subflow_runs(parents: Sequence[TaskRun]) -> list[FlowRun]:
    return [FlowRun(id=uuid7(), parent_task_run_id=run.id) for run in parents]


def pending(runs: Sequence[Run]) -> list[Asked]:
    return [Asked(run, Pending(timestamp=NOON)) for run in runs]


def running(runs: Sequence[Run], attempt: int = 0) -> list[Asked]:
    return [
        Asked(run, Running(timestamp=NOON, state_details=_under_key(run, "in")), attempt)
        for run in runs
    ]


def completed(runs: Sequence[Run]) -> list[Asked]:
    return [
        Asked(run, Completed(timestamp=NOON, data=[1], state_details=_under_key(run, "out")))
        for run in runs
    ]


def failed(runs: Sequence[Run], **parameters: Any) -> list[Asked]:
    return [Asked(run, Failed(timestamp=NOON), parameters=parameters) for run in runs]


def begun_key(asked: Asked) -> BegunKey:
    return BegunKey(
        request_id=asked.request_id,
        attempt=asked.attempt,
        run_id=asked.run.id,
        body_sha256=b"",
        user_id=None,
    )


async def propose(session: Session, asked: Asked) -> None:
    """Govern one request; something is to be written."""
    run = session.make_run(asked.run)
    details: dict[str, Any] = {
        "session": session,
        "proposed_state": asked.state,
        "now": NOON,
        "parameters": dict(asked.parameters),
    }
    context: FlowOrchestrationContext | TaskOrchestrationContext
    if isinstance(run, TaskRun):
        context = TaskOrchestrationContext(run=run, **details)
        await govern(context, CoreTaskPolicy, GlobalTaskPolicy)
    elif isinstance(run, FlowRun):
        context = FlowOrchestrationContext(run=run, **details)
        await govern(context, CoreFlowPolicy, GlobalFlowPolicy)
    assert context.written_state is not None, context.response_details


async def batch(database: Database, asked: Sequence[Asked], **record: Any) -> None:
    """One batch in which all is decided, and recorded."""
    async with database.session([each.demand() for each in asked]) as session:
        for each in asked:
            await propose(session, each)
            session.record(record_of(each.run, each.request_id, each.attempt, **record))


async def populate(database: Database) -> Crowd:
    """Put a crowd on record."""
    for tag in TAGS:
        await set_limit(database, tag, 100_000)
    flow_runs = new_flow_runs()
    task_runs = new_task_runs([run.id for run in flow_runs], 3 * _TASKS)
    crowd = Crowd(
        flow_runs,
        new_subflow_runs(task_runs[:_FLOWS]),
        *(task_runs[start : start + _TASKS] for start in range(0, 3 * _TASKS, _TASKS)),
    )
    everyone = [*flow_runs, *task_runs, *crowd.subflow_runs]
    await batch(database, pending(everyone))
    await batch(database, running(everyone))
    await batch(database, completed(crowd.completed))
    dead = failed(crowd.failed)
    await batch(database, dead, forward=Forward.DEAD_LETTER)
    await record_letters(database, *(of_request(each.request_id) for each in dead))
    await count_begun(database, dict.fromkeys(map(begun_key, dead), 1), NOON)
    return crowd


def _under_key(run: Run, what: str) -> StateDetails:
    return (
        StateDetails(cache_key=f"{run.id} {what}") if isinstance(run, TaskRun) else StateDetails()
    )
