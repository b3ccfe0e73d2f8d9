"""Rules of one's own: a team may start as many task runs as its budget has left."""

from collections.abc import Sequence

from sqlalchemy import Column, Integer, MetaData, Table, Text, update
from typing_extensions import override

from rules import (
    ANY_STATE,
    BaseOrchestrationPolicy,
    State,
    StateType,
    TaskOrchestrationContext,
    TaskRunOrchestrationRule,
)
from rules.policies import CoreTaskPolicy
from rules.policy import RuleOrTransform

BUDGET = Table(
    "team_budget",
    MetaData(),
    Column("team", Text, primary_key=True),
    Column("runs_left", Integer, nullable=False),
)
TEAM = "example.team"


class FindTeam(TaskRunOrchestrationRule):
    """Notes the team of a task run, which a tag such as ``team:sales`` names."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        teams = [tag.removeprefix("team:") for tag in context.run.tags if tag.startswith("team:")]
        await self.update_context_parameters(TEAM, teams[0] if teams else None)


class SpendBudget(TaskRunOrchestrationRule):
    """Takes one run off the team's budget; aborts where none is left."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.RUNNING})

    _spent_by: str | None = None

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        team = context.parameters[TEAM]
        if team is None:
            return
        sql = await context.session.sql()
        spend = update(BUDGET).where(BUDGET.c.team == team, BUDGET.c.runs_left > 0)
        spent = await sql.execute(spend.values(runs_left=BUDGET.c.runs_left - 1))
        if spent.rowcount == 1:
            self._spent_by = team
        else:
            await self.abort_transition(f"The budget of team {team!r} is spent.", "budget-spent")

    @override
    async def cleanup(
        self,
        initial_state: State | None,
        validated_state: State | None,
        context: TaskOrchestrationContext,
    ) -> None:
        if self._spent_by is not None:
            sql = await context.session.sql()
            give_back = update(BUDGET).where(BUDGET.c.team == self._spent_by)
            await sql.execute(give_back.values(runs_left=BUDGET.c.runs_left + 1))


class TeamTaskPolicy(BaseOrchestrationPolicy):
    """The Core rules, then the team's budget."""

    @staticmethod
    @override
    def priority() -> Sequence[RuleOrTransform]:
        return (*CoreTaskPolicy.priority(), FindTeam, SpendBudget)
