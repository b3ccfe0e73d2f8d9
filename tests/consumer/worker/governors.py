"""Governors over a real database, without a broker."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json

from consumer.broker.messages import Delivery, Outgoing
from consumer.dead_letters.filling import Filling
from consumer.dead_letters.letters import LetterWriter
from consumer.health.readiness import Readiness
from consumer.wire.requests import Reading
from consumer.worker.deciding import Decider, Statute
from consumer.worker.governing import Governor
from consumer.worker.judging import Judge
from consumer.worker.outcomes import Outcome
from consumer.worker.patience import Patience
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
    """A governor, what fills in dead letters beside it, their clock and their database."""

    governor: Governor
    filling: Filling
    database: Database
    readiness: Readiness
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
    clock, readiness = Clock(), Readiness()
    router = Router(partitions=8)
    statute = Statute(
        settings=OrchestrationSettings(),
        task_policy=policy,
        flow_policy=CoreFlowPolicy,
        force_users=frozenset({"boss"}),
    )
    async with open_database(url) as database:
        decider = Decider(statute, Answering(router, LetterWriter("test")), clock)
        patience = Patience(readiness)
        setbacks = Setbacks(database, decider, patience, max_failures, clock)
        governor = Governor(database, setbacks, router, seconds)
        filling = Filling(database, READER, Judge(decider), patience)
        yield Bench(governor, filling, database, readiness, clock)


def reading(body: object, request_id: str = "r-1", **properties: Any) -> Reading:
    """A message as the governor gets it."""
    return READER.read(delivery(body, message_id=request_id, **properties))


def came_back(outcome: Outcome) -> Reading:
    """What an outcome sent round, read again."""
    return READER.read(forwarded(outcome))


def forwarded(outcome: Outcome) -> Delivery:
    """What an outcome sent round, or into the dead letters, as it is delivered."""
    assert outcome.forward is not None
    return delivered(outcome.forward)


def delivered(sent: Outgoing) -> Delivery:
    """What was published, as it is delivered."""
    return replace(delivery(sent.body), properties=sent.properties)


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
