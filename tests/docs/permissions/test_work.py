"""What the page lets each user of the broker do, it can do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiormq.abc import DeliveredMessage
from pamqp import commands
from pydantic_core import from_json, to_json

from consumer.broker.connection import BrokerConnection
from consumer.client import Client
from consumer.topology.names import DECISIONS, REQUESTS
from rules.identifiers import uuid7
from tests.docs.commands import shell_commands
from tests.docs.pages import page, section
from tests.docs.permissions.users import (
    CONSUMER,
    OPERATOR,
    PRODUCER,
    WORKER,
    Connections,
    Place,
)
from tests.integration.processes import RunningConsumer, pointsman
from tests.integration.test_decisions_tail import lines, tail
from tests.integration.world import World, proposal

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIRECT_REPLY = "amq.rabbitmq.reply-to"


@asynccontextmanager
async def reading(
    connection: BrokerConnection, queue: str = "", key: str | None = None
) -> AsyncIterator[tuple[str, asyncio.Queue[DeliveredMessage]]]:
    """A queue of one's own, bound to the decisions where a key is given, and what comes to it."""
    heard: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
    async with connection.channel() as channel:
        declared = await channel.queue_declare(queue, exclusive=True)
        name = str(declared.queue)
        if key is not None:
            await channel.queue_bind(name, DECISIONS, key)
        await channel.basic_consume(name, heard.put, no_ack=True)
        yield name, heard


async def ask(connection: BrokerConnection, run: UUID, reply_to: str) -> None:
    """Ask that a new task run may wait; direct replies are set up on the same channel."""
    async with connection.channel() as channel:
        properties = commands.Basic.Properties(message_id=str(uuid7()), reply_to=reply_to)
        body = to_json(proposal("PENDING", run, create={}))
        await channel.basic_publish(body, exchange=REQUESTS, properties=properties)


async def decided(heard: asyncio.Queue[DeliveredMessage]) -> str:
    return str(from_json((await heard.get()).body)["decision"])


async def test_each_user_is_made_under_its_heading() -> None:
    headings = ("The consumer", "Producers", "Workers", "Operators")
    told = [shell_commands(section(page("permissions.md"), heading)) for heading in headings]
    assert [[words[2] for words in each if words[1] == "add_user"] for each in told] == [
        [CONSUMER],
        [PRODUCER],
        [WORKER],
        [OPERATOR],
    ]


@pytest.mark.parametrize("user", [PRODUCER, OPERATOR])
async def test_who_may_ask_is_answered(place: Place, consumer: RunningConsumer, user: str) -> None:
    del consumer
    async with Client.connected(place.url_of(user)) as client:
        await client.send(proposal("PENDING", create={}))
        assert (await client.decision())["decision"] == "accept"


@pytest.mark.parametrize("queue", ["pointsman.replies.billing", "pointsman.replies.billing.2"])
async def test_a_producer_is_answered_to_a_queue_with_its_name(
    connections: Connections, queue: str
) -> None:
    async with reading(connections[PRODUCER], queue) as (_, heard):
        await ask(connections[PRODUCER], uuid7(), queue)
        assert await decided(heard) == "accept"


async def test_a_producer_is_answered_directly(connections: Connections) -> None:
    heard: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
    async with connections[PRODUCER].channel() as channel:
        await channel.basic_consume(DIRECT_REPLY, heard.put, no_ack=True)
        asked = commands.Basic.Properties(message_id=str(uuid7()), reply_to=DIRECT_REPLY)
        body = to_json(proposal("PENDING", create={}))
        await channel.basic_publish(body, exchange=REQUESTS, properties=asked)
        assert await decided(heard) == "accept"


@pytest.mark.parametrize(
    ("queue", "key"),
    [
        ("", "task.accept.#"),
        ("pointsman.subscribers.loader", "task.#"),
        ("pointsman.subscribers.loader.late", "task.accept.pending.*"),
    ],
)
async def test_a_worker_hears_of_decisions(connections: Connections, queue: str, key: str) -> None:
    run = uuid7()
    async with reading(connections[WORKER], queue, key) as (_, heard):
        await ask(connections[PRODUCER], run, "")
        announced = from_json((await heard.get()).body)
        assert (announced["decision"], announced["run"]["id"]) == ("accept", str(run))


async def test_a_worker_tails_decisions_on_task_runs(
    place: Place, connections: Connections
) -> None:
    world = World(place.url_of(WORKER), str(place.settings["database_url"]))
    run = uuid7()
    async with tail(world, "--kind", "task", "--limit", "1") as process:
        await ask(connections[PRODUCER], run, "")
        [announced] = await lines(process)
    assert announced["run"]["id"] == str(run)


async def test_a_failure_goes_round_and_dies_and_an_operator_replays_it(
    place: Place, consumer: RunningConsumer
) -> None:
    """By the ladder, the dead letters' exchange and their queue: the consumer's to use."""
    operators = {**place.settings, "amqp_url": place.url_of(OPERATOR)}
    async with Client.connected(place.url_of(PRODUCER)) as client:
        await client.send(proposal("PAUSED", create={}))
        assert (await client.decision())["code"] == "failed"
        assert consumer.told("sent-round")

        while not (ended := await replay(operators)).startswith("letters replayed: 1"):
            assert ended == "letters replayed: 0\n"
        again = await client.decision()
    assert (again["code"], again["attempt"]) == ("failed", 1)


async def replay(settings: dict[str, object]) -> str:
    ended = await pointsman("dead-letters", "replay", "--yes", **settings)
    assert ended.code == 0, ended.err
    return ended.out


@pytest.mark.parametrize("command", ["topology check", "topology declare", "check"])
async def test_the_consumer_s_user_looks_after_the_topology(
    place: Place, consumer: RunningConsumer, command: str
) -> None:
    del consumer
    ended = await pointsman(*command.split(), **place.settings)
    assert (ended.code, ended.err) == (0, "")
