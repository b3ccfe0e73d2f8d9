"""A rule of a user's that writes into a table of its own, in the transaction of the request."""

from collections.abc import Iterable
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Column, MetaData, Table, Uuid, insert, select
from sqlalchemy.ext.asyncio import create_async_engine
from typing_extensions import override

from consumer.wire.decisions import Verdict
from persistence.database import Database
from persistence.records import DecisionRecord
from rules import TaskRunOrchestrationRule
from rules.context import TaskOrchestrationContext
from rules.rule import ANY_STATE
from rules.states import State, StateType

_NOTES = Table("chaos_note", MetaData(), Column("state_id", Uuid, nullable=False))


class KeepsNotes(TaskRunOrchestrationRule):
    """Writes down the proposed state; where the answer is no accept, the note is to vanish."""

    FROM_STATES = ANY_STATE
    TO_STATES = frozenset({StateType.PAUSED, StateType.CANCELLING})

    @override
    async def before_transition(
        self,
        initial_state: State | None,
        proposed_state: State,
        context: TaskOrchestrationContext,
    ) -> None:
        sql = await context.session.sql()
        await sql.execute(insert(_NOTES).values(state_id=proposed_state.id))


async def make_table(database_url: str) -> None:
    """Make the rule's table."""
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(_NOTES.metadata.create_all)
    await engine.dispose()


async def check_notes(database: Database, decisions: Iterable[DecisionRecord]) -> list[str]:
    """What is wrong with the notes: there is to be one for each state that the rule let pass."""
    async with database.reading() as connection:
        kept = list(await connection.scalars(select(_NOTES.c.state_id)))
    due = {
        UUID(body["state"]["id"])
        for record in decisions
        if record.decision == Verdict.ACCEPT
        and KeepsNotes.__name__ in (body := from_json(record.body))["rules"]
    }
    missing = [f"a rule's row is missing: of the state {state_id}" for state_id in due - {*kept}]
    unfounded = [f"a rule's row stayed of a refused state: {each}" for each in {*kept} - due]
    doubled = ["a rule's row was written twice"] if len(kept) > len({*kept}) else []
    return missing + unfounded + doubled
