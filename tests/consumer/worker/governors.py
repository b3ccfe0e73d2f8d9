"""Governors over a real database, without a broker."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json

from consumer.dead_letters.letters import LetterWriter
from consumer.wire.requests import Reading
from consumer.worker.deciding import Decider, Statute
from consumer.worker.governing import Governor
from consumer.worker.outcomes import Outcome
from consumer.worker.recording import Answering
from consumer.worker.rounds import Router
from consumer.worker.setbacks import Setbacks
from persistence.database import Database, open_database
from persistence.migrating import upgrade
from rules import BaseOrchestrationPolicy, OrchestrationSettings
from rules.policies import CoreFlowPolicy, CoreTaskPolicy
from tests.consumer.wire.messages import READER, delivery

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Time as the test sets it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class Bench:
    """A governor, its clock and its database."""

    governor: Governor
    database: Database
    clock: Clock = field(default_factory=Clock)

    async def govern(self, *readings: Reading) -> list[Outcome]:
        return await self.governor.govern(readings)


@asynccontextmanager
async def governing(
    url: str,
    policy: type[BaseOrchestrationPolicy] = CoreTaskPolicy,
    *,
    max_failures: int = 5,
    seconds: float = 30,
) -> AsyncIterator[Bench]:
    """A governor whose task runs go through this policy."""
    clock = Clock()
    router = Router(partitions=8)
    statute = Statute(
        settings=OrchestrationSettings(),
        task_policy=policy,
        flow_policy=CoreFlowPolicy,
        force_users=frozenset({"boss"}),
    )
    async with open_database(url) as database:
        decider = Decider(statute, Answering(router, LetterWriter("test")), clock)
        setbacks = Setbacks(database, decider, max_failures, clock)
        governor = Governor(database, decider, setbacks, router, seconds)
        yield Bench(governor, database, clock)


def reading(body: object, request_id: str = "r-1", **properties: Any) -> Reading:
    """A message as the governor gets it."""
    return READER.read(delivery(body, message_id=request_id, **properties))


def came_back(outcome: Outcome) -> Reading:
    """What an outcome sent round, read again."""
    forward = outcome.forward
    assert forward is not None
    properties = forward.properties
    return READER.read(
        delivery(
            forward.body,
            message_id=properties.message_id,
            reply_to=properties.reply_to,
            headers=dict(properties.headers),
        )
    )


def decided(outcome: Outcome) -> dict[str, Any]:
    """The decision's body."""
    assert outcome.answer is not None, outcome
    body: dict[str, Any] = from_json(outcome.answer.body)
    return body


def verdicts(outcomes: Sequence[Outcome]) -> list[str | None]:
    """What was decided on each message, None where nothing was."""
    return [outcome.answer.verdict.value if outcome.answer else None for outcome in outcomes]


def migrated(url: str) -> str:
    """The same URL, its database with the tables made."""
    upgrade(url)
    return url
