"""Simulated workers: they do nothing to a run that was not decided, and act on what was."""

import asyncio
from collections.abc import Mapping
from typing import Any

from consumer.demo.desk import Desk
from consumer.demo.plans import FlowPlan, TaskPlan
from consumer.demo.proposals import proposal, proposed_state
from consumer.demo.roster import Roster
from consumer.wire.decisions import Decision, Verdict
from rules.runs import RunKind
from rules.states import StateName, StateType

_WHY_FAILED = "the connection was reset"


class TaskWorker:
    """Runs one planned task, through failures and retries, and through its flow's retries."""

    def __init__(self, desk: Desk, roster: Roster, flow: FlowPlan, plan: TaskPlan) -> None:
        self.succeeded = False
        self._desk = desk
        self._plan = plan
        self._name = flow.inner_name(plan.name)
        self._id = roster.id_of(self._name)
        self._endings = list(plan.endings)
        self._create = {
            "name": plan.name,
            "flow_run_id": roster.id_of(flow.name),
            "task_key": f"{flow.name}.{plan.name}",
            "tags": plan.tags,
            "policy": plan.policy.model_dump(),
        }
        self._is_new = True

    async def run(self) -> None:
        """Run the task until it has ended; whether it succeeded is said by ``succeeded``."""
        if self._is_new:
            await self._propose(StateType.PENDING, create=self._create)
            self._is_new = False
        goes_on = True
        while goes_on:
            goes_on = await self._attempt()

    async def _attempt(self) -> bool:
        """Ask to run, work, propose how it ended; whether there is to be another attempt."""
        decision = await self._propose(StateType.RUNNING)
        if decision.decision is not Verdict.ACCEPT:
            self.succeeded = _written(decision) is StateType.COMPLETED
            return False
        await asyncio.sleep(self._plan.seconds)
        ending = self._endings.pop(0) if len(self._endings) > 1 else self._endings[0]
        if ending is StateType.COMPLETED:
            decision = await self._propose(ending, data=self._plan.data)
            self.succeeded = decision.decision is Verdict.ACCEPT
            return False
        decision = await self._propose(ending, message=_WHY_FAILED)
        return _awaits_retry(decision)

    async def _propose(
        self, state_type: StateType, *, create: Mapping[str, Any] | None = None, **fields: Any
    ) -> Decision:
        details = {"cache_key": self._plan.cache_key} if self._plan.cache_key else None
        state = proposed_state(state_type, details=details, **fields)
        body = proposal(RunKind.TASK, self._id, state, create=create)
        return (await self._desk.ask(self._name, body))[-1]


class FlowWorker:
    """Runs one planned flow with its tasks and subflows, through the flow's retries."""

    def __init__(
        self, desk: Desk, roster: Roster, plan: FlowPlan, parent_task: str | None = None
    ) -> None:
        self.succeeded = False
        self._desk = desk
        self._roster = roster
        self._plan = plan
        self._id = roster.id_of(plan.name)
        self._create = {
            "name": plan.name,
            "deployment_id": plan.deployment,
            "parent_task_run_id": roster.id_of(parent_task) if parent_task else None,
            "policy": plan.policy.model_dump(),
        }
        self._stages = [[self._part(part) for part in stage] for stage in plan.stages]

    async def run(self) -> None:
        """Run the flow until it has ended."""
        if self._plan.deployment is not None:
            await self._propose(StateType.SCHEDULED, create=self._create)
        await self._propose(StateType.PENDING, create=self._create)
        goes_on = True
        while goes_on:
            goes_on = await self._attempt()

    async def _attempt(self) -> bool:
        """Ask to run, run what has not succeeded yet; whether there is to be another attempt."""
        decision = await self._propose(StateType.RUNNING)
        if decision.decision is not Verdict.ACCEPT:
            return False
        for stage in self._stages:
            unfinished = [part for part in stage if not part.succeeded]
            await asyncio.gather(*(part.run() for part in unfinished))
            if not all(part.succeeded for part in stage):
                decision = await self._propose(StateType.FAILED, message="a task has failed")
                return _awaits_retry(decision)
        decision = await self._propose(StateType.COMPLETED)
        self.succeeded = decision.decision is Verdict.ACCEPT
        return False

    def _part(self, part: TaskPlan | FlowPlan) -> "TaskWorker | SubflowWorker":
        if isinstance(part, FlowPlan):
            return SubflowWorker(self._desk, self._roster, self._plan, part)
        return TaskWorker(self._desk, self._roster, self._plan, part)

    async def _propose(
        self, state_type: StateType, *, create: Mapping[str, Any] | None = None, **fields: Any
    ) -> Decision:
        body = proposal(RunKind.FLOW, self._id, proposed_state(state_type, **fields), create=create)
        return (await self._desk.ask(self._plan.name, body))[-1]


class SubflowWorker:
    """Makes the task run that stands for a subflow, then runs the subflow, which moves it along."""

    def __init__(self, desk: Desk, roster: Roster, flow: FlowPlan, plan: FlowPlan) -> None:
        self._desk = desk
        self._name = flow.inner_name(plan.name)
        self._id = roster.id_of(self._name)
        self._create = {"name": plan.name, "flow_run_id": roster.id_of(flow.name)}
        self._worker = FlowWorker(desk, roster, plan, parent_task=self._name)

    @property
    def succeeded(self) -> bool:
        """Whether the subflow has completed."""
        return self._worker.succeeded

    async def run(self) -> None:
        """Run the subflow until it has ended."""
        state = proposed_state(StateType.PENDING)
        body = proposal(RunKind.TASK, self._id, state, create=self._create)
        await self._desk.ask(self._name, body)
        await self._worker.run()


def _written(decision: Decision) -> StateType | None:
    return decision.state.type if decision.state else None


def _awaits_retry(decision: Decision) -> bool:
    return decision.state is not None and decision.state.name == StateName.AWAITING_RETRY
