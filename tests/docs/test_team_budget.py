"""The worked example of ``docs/own-rules.md``, over real databases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import insert, select
from typing_extensions import override

from consumer.policies import load_policy
from docs.examples.team_budget import BUDGET, FindTeam, SpendBudget, TeamTaskPolicy
from persistence.database import Database, open_database
from persistence.demands import Demand
from persistence.migrating import upgrade
from rules import (
    ANY_STATE,
    BaseOrchestrationPolicy,
    SetStateStatus,
    State,
    StateType,
    TaskOrchestrationContext,
    TaskRun,
    TaskRunOrchestrationRule,
    govern,
)
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.policies import GlobalTaskPolicy
from rules.policy import RuleOrTransform
from rules.states import Completed, Running


@dataclass(slots=True)
class Office:
    """Teams with budgets."""

    database: Database

    async def grant(self, team: str, runs: int) -> None:
        async with self.database.writing() as connection:
            await connection.run_sync(BUDGET.metadata.create_all)
            await connection.execute(insert(BUDGET).values(team=team, runs_left=runs))

    async def start(
        self, *tags: str, policy: type[BaseOrchestrationPolicy] = TeamTaskPolicy
    ) -> TaskOrchestrationContext:
        """Propose RUNNING for a new task run with these tags."""
        run = TaskRun(id=uuid7(), tags=tags)
        demand = Demand(run_id=run.id, kind=run.kind, create=run, proposes=StateType.RUNNING)
        async with self.database.session([demand]) as session:
            made = session.make_run(run)
            assert isinstance(made, TaskRun)
            context = TaskOrchestrationContext(
                session=session,
                run=made,
                proposed_state=Running(),
                now=utc_now(),
                parameters={"example.team": "claimed by the producer"},
            )
            await govern(context, policy, GlobalTaskPolicy)
        return context

    async def runs_left(self, team: str) -> int:
        async with self.database.reading() as connection:
            left = await connection.execute(select(BUDGET.c.runs_left).filter_by(team=team))
        return int(left.scalar_one())


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    await asyncio.to_thread(upgrade, database_url)
    async with open_database(database_url) as database:
        yield Office(database)


async def test_a_team_starts_as_many_runs_as_its_budget_has(office: Office) -> None:
    await office.grant("sales", 2)
    answers = [await office.start("team:sales", "other") for _ in range(3)]

    assert [each.response_status for each in answers] == ["ACCEPT", "ACCEPT", "ABORT"]
    assert answers[2].response_details.code == "budget-spent"
    assert answers[2].decided_by == "SpendBudget"
    assert await office.runs_left("sales") == 0


async def test_a_run_of_no_team_spends_nothing_whatever_its_producer_claims(office: Office) -> None:
    await office.grant("claimed by the producer", 5)
    answer = await office.start("other")

    assert answer.response_status is SetStateStatus.ACCEPT
    assert await office.runs_left("claimed by the producer") == 5


class _RejectLast(TaskRunOrchestrationRule):
    """Replaces the proposal after all others have seen it."""

    FROM_STATES = TO_STATES = ANY_STATE

    @override
    async def before_transition(
        self, initial_state: State | None, proposed_state: State, context: TaskOrchestrationContext
    ) -> None:
        await self.reject_transition(Completed(), "It is done already.", "done")


class _RaiseLast(TaskRunOrchestrationRule):
    """Fails on exit, so that the request is governed again."""

    FROM_STATES = TO_STATES = ANY_STATE

    @override
    async def after_transition(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        raise OSError("no connection")


class _RejectingPolicy(BaseOrchestrationPolicy):
    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (FindTeam, SpendBudget, _RejectLast)


class _RaisingPolicy(BaseOrchestrationPolicy):
    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (FindTeam, SpendBudget, _RaiseLast)


async def test_what_was_spent_is_given_back_where_another_rule_decides_otherwise(
    office: Office,
) -> None:
    await office.grant("sales", 1)
    answer = await office.start("team:sales", policy=_RejectingPolicy)

    assert answer.response_status is SetStateStatus.REJECT
    assert await office.runs_left("sales") == 1


async def test_what_was_spent_is_not_spent_twice_where_the_request_is_governed_again(
    office: Office,
) -> None:
    await office.grant("sales", 1)
    with pytest.raises(OSError, match="no connection"):
        await office.start("team:sales", policy=_RaisingPolicy)
    assert await office.runs_left("sales") == 1


def test_settings_can_name_the_policy() -> None:
    path = "docs.examples.team_budget:TeamTaskPolicy"
    assert load_policy(path, "POINTSMAN_TASK_POLICY") is TeamTaskPolicy
