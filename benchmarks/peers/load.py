"""The requests that every contender gets, and when their decisions come."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from pydantic_core import to_json

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.encoding import publish_frames
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.topology.names import DECISIONS, REQUESTS, slot
from rules.identifiers import uuid7
from tests.integration.world import proposal

STEPS = ("PENDING", "RUNNING", "COMPLETED")
"""What each run goes through; all of it is accepted."""

_CHUNK = 500
_HEARD_AT_ONCE = 1_000


def requests(runs: int) -> Iterator[Outgoing]:
    """Requests for so many new task runs of one flow run, each run's in order."""
    flow_run = uuid7()
    ids = [uuid7() for _ in range(runs)]
    for step in STEPS:
        for run_id in ids:
            body = proposal(step, run_id, create={"flow_run_id": flow_run, "task_key": "bench"})
            yield Outgoing(
                exchange=REQUESTS,
                routing_key=slot(run_id),
                body=to_json(body),
                properties=Properties(message_id=str(uuid7()), content_type="application/json"),
            )


@dataclass(slots=True)
class Audience:
    """Publishes requests, and hears all decisions; both in this process, by one clock."""

    connection: BrokerConnection
    publisher: Publisher
    decisions: Intake
    channel: int
    sent: dict[str | None, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)

    @classmethod
    async def open(cls, connection: BrokerConnection) -> Self:
        """An audience with a queue of its own for the decisions."""
        async with connection.channel() as channel:
            queue = str((await channel.queue_declare(exclusive=True)).queue)
            await channel.queue_bind(queue, DECISIONS, "#")
        decisions = await Intake.open(connection, [Source(queue)], prefetch=2 * _HEARD_AT_ONCE)
        unconfirmed = await connection.open_channel(lambda *_: False, _ignore)
        publisher = await Publisher.open(connection)
        return cls(connection, publisher, decisions, int(unconfirmed.number))

    async def store(self, messages: Sequence[Outgoing]) -> None:
        """Publish, and wait until the broker has them all."""
        for start in range(0, len(messages), _CHUNK):
            await self.publisher.publish(messages[start : start + _CHUNK])

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Publish without waiting for confirms, and note when."""
        now = time.perf_counter()
        self.sent.update((message.properties.message_id, now) for message in messages)
        frame_max = self.connection.frame_max
        self.connection.write(
            b"".join(publish_frames(message, self.channel, frame_max) for message in messages)
        )

    async def hear(self, count: int) -> None:
        """Wait for so many decisions, and note how long after their requests they came."""
        while count > 0:
            count -= len(await self.hear_some(count))

    async def hear_some(self, most: int) -> Sequence[str | None]:
        """Wait for a decision, and tell whose are there: at most so many."""
        batch = await self.decisions.next_batch(min(most, _HEARD_AT_ONCE))
        now = time.perf_counter()
        await self.decisions.settle(batch)
        ids = [delivery.properties.correlation_id for delivery in batch]
        known = [message_id for message_id in ids if message_id in self.sent]
        self.delays += [now - self.sent.pop(message_id) for message_id in known]
        return ids

    def take_delays(self) -> list[float]:
        """The delays noted since the last call, in seconds, the shortest first."""
        delays, self.delays = sorted(self.delays), []
        return delays


@asynccontextmanager
async def audience(amqp_url: str) -> AsyncIterator[Audience]:
    """An audience for as long as the block lasts."""
    connection = await connect(amqp_url, "benchmark")
    try:
        yield await Audience.open(connection)
    finally:
        await connection.close()


async def at_a_rate(present: Audience, messages: Sequence[Outgoing], per_second: float) -> None:
    """Send at a steady rate, whatever the decisions do, and hear them all."""
    hearing = asyncio.create_task(present.hear(len(messages)))
    began = time.perf_counter()
    for number, message in enumerate(messages):
        await asyncio.sleep(began + number / per_second - time.perf_counter())
        present.send([message])
    await hearing


async def in_a_window(present: Audience, messages: Sequence[Outgoing], window: int) -> None:
    """Send so that this many are under way at any time: a new one for each that is decided."""
    present.send(messages[:window])
    sent, heard = min(window, len(messages)), 0
    while heard < len(messages):
        came = len(await present.hear_some(len(messages) - heard))
        heard += came
        present.send(messages[sent : sent + came])
        sent += came


def _ignore(_: Exception) -> None:
    """A connection that is lost is told by whoever waits for decisions."""
