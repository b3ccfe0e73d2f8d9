"""Messages as large as the broker lets them be, and answers larger than it lets them be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from consumer.broker.connection import connect
from consumer.broker.intake import Intake, Source
from consumer.topology.names import partition_queue
from deploy.servers import RabbitServer
from persistence.database import open_database
from persistence.schema import DeadLetterRow, DecisionRow, table_of
from rules.identifiers import uuid7
from tests.integration.conftest import prepared
from tests.integration.processes import WAIT_SECONDS, RunningConsumer, consuming
from tests.integration.world import PARTITIONS, Watcher, World, proposal, watching
from tests.servers.vhosts import fresh_vhost

MIB = 2**20
LARGEST = 16 * MIB
DECISION = table_of(DecisionRow).c
LETTER = table_of(DeadLetterRow).c


@pytest.fixture(scope="module")
def strict_broker(own_broker: Callable[[], RabbitServer]) -> RabbitServer:
    """A broker that takes bodies of 100,000 bytes at most, and frames of 8 KiB."""
    server = own_broker()
    for name, limit in {"max_message_size": 100_000, "frame_max": 8_192}.items():
        # RabbitMQ 4 keeps the size of messages in a place of its own besides.
        kept = f"application:set_env(rabbit, {name}, {limit}), persistent_term:put({name}, {limit})"
        server.run_ctl("eval", f"{kept}.")
    return server


@pytest.fixture
async def strict_world(strict_broker: RabbitServer, postgres_url: str) -> AsyncIterator[World]:
    with fresh_vhost(strict_broker) as vhost:
        yield await prepared(vhost, postgres_url)


async def test_a_body_of_16_mib_is_refused_and_its_dead_letter_keeps_it_whole(
    world: World,
) -> None:
    body = b"[" + bytes(48 + number % 10 for number in range(1_000)) * 20_000
    body = body[:LARGEST]
    async with at_work(world) as (watcher, consumer):
        await watcher.send(body, "large")
        [decision] = await watcher.decisions(1)
        assert (decision["request_id"], decision["code"]) == ("large", "invalid")
        assert f"{LARGEST} bytes" in decision["reason"]
        assert await letter_on_record(world) == (LARGEST, sha256(body).hexdigest())
        undisturbed(consumer)


async def test_headers_that_fill_a_frame_go_round_as_far_as_they_are_told(world: World) -> None:
    huge = {"huge": "x" * 130_900}
    run_id = uuid7()
    async with at_work(world) as (watcher, consumer):
        await watcher.send(b"not json", "bad", headers=huge)
        await watcher.send(scheduled(run_id), "first", headers=huge)
        await watcher.send(proposal("RUNNING", run_id), "second", headers=huge)
        decisions = await watcher.decisions(4)
        await letter_on_record(world)
        undisturbed(consumer)
    assert ends(decisions) == ENDS


async def test_they_are_governed_when_they_are_redelivered_with_even_more_headers(
    world: World,
) -> None:
    async with watching(world.amqp_url) as watcher:
        await watcher.send(proposal("RUNNING", create={}), "huge", headers={"h": "x" * 130_950})
        await take_and_give_back(world)
        async with consuming(**world.settings) as consumer:
            [decision] = await watcher.decisions(1)
            undisturbed(consumer)
    assert decision["decision"] == "accept"


async def test_a_decision_that_is_too_large_for_the_broker_is_on_record_and_stops_nobody(
    strict_world: World,
) -> None:
    data = b"[" + b"1e15," * 18_000 + b"1]"
    body = b'{"run": {"kind": "task", "id": "%b"}, "create": {}, "state": {"type": "RUNNING",'
    body = body % str(uuid7()).encode() + b'"data": %b}}' % data
    async with at_work(strict_world) as (watcher, consumer):
        await watcher.send_all(
            [
                watcher.request(proposal("RUNNING", create={}), "before"),
                watcher.request(body, "large"),
                watcher.request(proposal("RUNNING", create={}), "after"),
            ]
        )
        answered: set[str] = set()
        while len(answered) < 2:  # a decision may come twice: its neighbour ends a channel
            answered |= {each["request_id"] for each in await watcher.decisions(1)}
        assert answered == {"before", "after"}
        undelivered = await consumer.event("decision-undelivered", 2)
        assert undelivered["level"] == "warning"
        assert await decision_on_record(strict_world, "large") > 300_000
        assert (await watcher.decision(proposal("RUNNING", create={})))["decision"] == "accept"
        undisturbed(consumer)


async def test_headers_that_do_not_fit_into_the_brokers_frames_with_ours_are_left_out(
    strict_world: World,
) -> None:
    trace = {"traceparent": "😀" * 1_000, "tracestate": "é" * 1_000, "other": "x" * 1_800}
    run_id = uuid7()
    async with at_work(strict_world) as (watcher, consumer):
        await watcher.send(b"[" * 1_000, "bad", headers=trace)
        await watcher.send(scheduled(run_id), "first", headers=trace)
        await watcher.send(proposal("RUNNING", run_id), "second", headers=trace)
        decisions = await watcher.decisions(4)
        await letter_on_record(strict_world)
        assert consumer.told("headers-left-out")
        undisturbed(consumer)
    assert ends(decisions) == ENDS


ENDS = {
    ("bad", 0, "abort"),
    ("first", 0, "accept"),
    ("second", 0, "delay"),
    ("second", 1, "accept"),
}


def ends(decisions: list[dict[str, Any]]) -> set[tuple[str, int, str]]:
    return {(each["request_id"], each["attempt"], each["decision"]) for each in decisions}


def scheduled(run_id: UUID) -> dict[str, Any]:
    """A request that has the next one of its run delayed."""
    soon = datetime.now(UTC) + timedelta(seconds=5)
    return proposal("SCHEDULED", run_id, create={}, details={"scheduled_time": soon.isoformat()})


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[tuple[Watcher, RunningConsumer]]:
    async with watching(world.amqp_url) as watcher, consuming(**world.settings) as consumer:
        yield watcher, consumer


async def take_and_give_back(world: World) -> None:
    """Take a message as a consumer does that ends before it has acknowledged it."""
    connection = await connect(world.amqp_url, "test taker")
    sources = [Source(partition_queue(number), number) for number in range(PARTITIONS)]
    intake = await Intake.open(connection, sources, prefetch=10)
    assert await intake.next_batch(1)
    await intake.close()
    await connection.close()


def undisturbed(consumer: RunningConsumer) -> None:
    """See that it never lost a connection, and that no message troubled others."""
    assert len(consumer.told("consuming")) == 1
    for event in ("broker-away", "batch-failed", "letters-refused", "message-buried"):
        assert consumer.told(event) == []


async def letter_on_record(world: World) -> tuple[int, str]:
    """The length and the digest of the one dead letter's body."""
    async with open_database(world.database_url) as database, asyncio.timeout(WAIT_SECONDS):
        while True:
            async with database.reading() as connection:
                bodies = (await connection.scalars(select(LETTER.body))).all()
            if bodies:
                [body] = bodies
                return len(body), sha256(body).hexdigest()
            await asyncio.sleep(0.1)


async def decision_on_record(world: World, request_id: str) -> int:
    """The length of a decision's body."""
    sizing = select(func.length(DECISION.body)).where(DECISION.request_id == request_id)
    async with open_database(world.database_url) as database, database.reading() as connection:
        length: int = (await connection.execute(sizing)).scalar_one()
        return length
