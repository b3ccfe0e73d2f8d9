"""A broker and a database of a test's own, and a producer's view on what consumers decide."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json
from yarl import URL

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery, Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.topology.names import DECISIONS, REQUESTS, slot
from rules.identifiers import uuid7

PARTITIONS = 3
"""Few, since each is a queue to be made; they must not divide what is tested evenly."""


@dataclass(frozen=True, slots=True)
class World:
    """Where consumers are to work: their settings, as keywords."""

    amqp_url: str
    database_url: str

    @property
    def user(self) -> str:
        """The broker's user, as it checks a message's ``user_id``."""
        return URL(self.amqp_url).user or ""

    @property
    def settings(self) -> dict[str, str]:
        return {
            "amqp_url": self.amqp_url,
            "database_url": self.database_url,
            "partitions": str(PARTITIONS),
        }


def proposal(
    state: str | None, run_id: UUID | None = None, *, kind: str = "task", **rest: Any
) -> dict[str, Any]:
    """A request's body; ``details`` are state details, other keywords are keys of the body."""
    proposed = None
    if state is not None:
        proposed = {"type": state, "state_details": rest.pop("details", {})}
        proposed |= {key: rest.pop(key) for key in ("name", "data", "message") if key in rest}
    return {"run": {"kind": kind, "id": run_id or uuid7()}, "state": proposed, **rest}


@dataclass(slots=True)
class Watcher:
    """Publishes requests and sees every decision on the exchange and on its reply queue."""

    publisher: Publisher
    announced: Intake
    replies: Intake
    reply_to: str
    _heard: list[Delivery] = field(default_factory=list)
    _answered: list[Delivery] = field(default_factory=list)

    async def send(self, body: object, request_id: str | None = None, **properties: Any) -> str:
        """Publish one request, JSON unless it is bytes."""
        request_id = request_id or str(uuid7())
        await self.send_all([self.request(body, request_id, **properties)])
        return request_id

    def request(self, body: Any, request_id: str, **properties: Any) -> Outgoing:
        raw = body if isinstance(body, bytes) else to_json(body)
        key = "" if isinstance(body, bytes) else slot(UUID(str(body["run"]["id"])))
        given = {"message_id": request_id, "reply_to": self.reply_to} | properties
        return Outgoing(
            exchange=REQUESTS, routing_key=key, body=raw, properties=Properties(**given)
        )

    async def send_all(self, messages: list[Outgoing]) -> None:
        outcomes = await self.publisher.publish(messages)
        assert set(outcomes) == {Outcome.CONFIRMED}

    async def heard(self, count: int) -> list[Delivery]:
        """The next so many messages on the decisions exchange."""
        return await _take(self.announced, self._heard, count)

    async def replied(self, count: int) -> list[Delivery]:
        """The next so many messages on the reply queue."""
        return await _take(self.replies, self._answered, count)

    async def decision(self, body: object, **properties: Any) -> dict[str, Any]:
        """Send a request and wait for the next reply, which is its decision."""
        await self.send(body, **properties)
        [reply] = await self.replied(1)
        return content(reply)

    async def decisions(self, count: int) -> list[dict[str, Any]]:
        """The next so many replies' decisions."""
        return [content(reply) for reply in await self.replied(count)]


def content(delivery: Delivery) -> dict[str, Any]:
    """A decision's body."""
    decision: dict[str, Any] = from_json(delivery.body)
    return decision


async def _take(intake: Intake, waiting: list[Delivery], count: int) -> list[Delivery]:
    while len(waiting) < count:
        batch = await intake.next_batch(1_000)
        await intake.settle(batch)
        waiting += batch
    taken = waiting[:count]
    del waiting[:count]
    return taken


@asynccontextmanager
async def watching(amqp_url: str) -> AsyncIterator[Watcher]:
    """A watcher on a topology that stands."""
    connection = await connect(amqp_url, "test watcher")
    try:
        reply_to, replies = await _own_queue(connection)
        name, announced = await _own_queue(connection)
        async with connection.channel() as channel:
            await channel.queue_bind(name, DECISIONS, "#")
        yield Watcher(await Publisher.open(connection), announced, replies, reply_to)
    finally:
        await connection.close()


async def _own_queue(connection: BrokerConnection) -> tuple[str, Intake]:
    async with connection.channel() as channel:
        declared = await channel.queue_declare(exclusive=True)
    name = str(declared.queue)
    return name, await Intake.open(connection, [Source(name)], prefetch=1_000)
