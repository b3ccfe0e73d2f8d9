"""What the page does not let a user of the broker do, it can't do."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiormq.abc import AbstractChannel

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerRefused, ChannelClosedByBroker
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.topology.description import describe
from consumer.topology.names import DEAD_LETTERS, DECISIONS, REQUESTS, delay_level, partition_queue
from rules.identifiers import uuid7
from tests.docs.permissions.users import (
    CONSUMER,
    OPERATOR,
    PRODUCER,
    STRANGERS_QUEUE,
    USERS,
    WORKER,
    Connections,
    Place,
)
from tests.integration.world import PARTITIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")

Deed = Callable[[AbstractChannel, str], Awaitable[object]]

TOPOLOGY = describe(PARTITIONS)
OURS = [exchange.name for exchange in TOPOLOGY.exchanges]
BROKERS = ["amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.topic"]
QUEUES = [DEAD_LETTERS, *map(partition_queue, range(PARTITIONS)), delay_level(0), delay_level(27)]
WRITTEN_BY = {
    CONSUMER: {"", *OURS},
    PRODUCER: {REQUESTS},
    WORKER: set[str](),
    OPERATOR: {REQUESTS},
}
OTHERS = (PRODUCER, WORKER, OPERATOR)
REFUSED = 403


async def nothing(_: object) -> None:
    """What comes is not looked at."""


async def bind_to(channel: AbstractChannel, exchange: str) -> None:
    """Bind a queue of one's own."""
    declared = await channel.queue_declare(exclusive=True)
    await channel.queue_bind(str(declared.queue), exchange, "task.#")


async def follow(channel: AbstractChannel, key: str) -> None:
    declared = await channel.queue_declare(exclusive=True)
    await channel.queue_bind(str(declared.queue), DECISIONS, key)


USE: list[Deed] = [
    lambda channel, queue: channel.basic_get(queue),
    lambda channel, queue: channel.basic_consume(queue, nothing),
    lambda channel, queue: channel.queue_purge(queue),
    lambda channel, queue: channel.queue_delete(queue),
    lambda channel, queue: channel.queue_bind(queue, DECISIONS, "#"),
    lambda channel, queue: channel.queue_unbind(queue, DECISIONS, "#"),
]
MAKE: list[Deed] = [
    lambda channel, name: channel.queue_declare(name, durable=True),
    lambda channel, name: channel.exchange_declare(exchange=name, durable=True),
]
LEAD: list[Deed] = [
    lambda channel, exchange: channel.exchange_delete(exchange),
    lambda channel, exchange: channel.exchange_bind(exchange, DECISIONS, "#"),
    lambda channel, exchange: channel.exchange_bind(exchange, REQUESTS, "#"),
]
BURY: list[Deed] = [
    lambda channel, exchange: channel.queue_declare(
        exclusive=True, arguments={"x-dead-letter-exchange": exchange}
    )
]


async def permitted(connection: BrokerConnection, deeds: Sequence[Deed], name: str) -> int:
    """How many deeds are; each has a channel, which the broker ends over a refusal."""
    done = 0
    for deed in deeds:
        try:
            async with connection.channel() as channel:
                await deed(channel, name)
        except ChannelClosedByBroker as error:
            if error.code != REFUSED:
                raise
        else:
            done += 1
    return done


async def may_publish(connection: BrokerConnection, exchange: str, key: str) -> bool:
    publisher = await Publisher.open(connection)
    properties = Properties(message_id=str(uuid7()))
    letter = Outgoing(exchange=exchange, routing_key=key, body=b"{}", properties=properties)
    try:
        await publisher.publish([letter])
    except ChannelClosedByBroker as error:
        if error.code != REFUSED:
            raise
        return False
    await publisher.close()
    return True


@pytest.mark.parametrize("user", USERS)
async def test_a_user_publishes_to_just_those_exchanges_that_are_meant_for_it(
    connections: Connections, user: str
) -> None:
    """The key leads nowhere, but by the default exchange to a stranger's queue."""
    written = {
        exchange
        for exchange in ("", *BROKERS, *OURS)
        if await may_publish(connections[user], exchange, STRANGERS_QUEUE)
    }
    assert written == WRITTEN_BY[user]


@pytest.mark.parametrize("user", OTHERS)
async def test_nobody_but_the_consumer_reads_its_queues_or_changes_them(
    connections: Connections, user: str
) -> None:
    for queue in (*QUEUES, STRANGERS_QUEUE):
        assert await permitted(connections[user], [*USE, *MAKE], queue) == 0, queue


@pytest.mark.parametrize("user", OTHERS)
async def test_nobody_but_the_consumer_changes_exchanges(
    connections: Connections, user: str
) -> None:
    """Above all, nobody can lead decisions back to where requests come in."""
    for exchange in OURS:
        assert await permitted(connections[user], [*LEAD, *MAKE], exchange) == 0, exchange


@pytest.mark.parametrize("user", OTHERS)
async def test_a_queue_of_one_s_own_hears_decisions_at_most(
    connections: Connections, user: str
) -> None:
    heard = {
        exchange
        for exchange in (*BROKERS, *OURS)
        if await permitted(connections[user], [bind_to], exchange)
    }
    assert heard == ({DECISIONS} if user == WORKER else set())


@pytest.mark.parametrize("key", ["#", "*.accept.#", "flow.#", "none.#"])
async def test_a_worker_that_is_to_see_task_runs_sees_no_others(
    connections: Connections, key: str
) -> None:
    assert await permitted(connections[WORKER], [follow], key) == 0


@pytest.mark.parametrize("user", OTHERS)
@pytest.mark.parametrize("exchange", ["", DEAD_LETTERS, DECISIONS, delay_level(0)])
async def test_a_queue_s_dead_letters_reach_no_exchange_to_which_its_user_may_not_publish(
    connections: Connections, user: str, exchange: str
) -> None:
    assert await permitted(connections[user], BURY, exchange) == 0


@pytest.mark.parametrize("user", USERS)
async def test_nobody_makes_what_has_another_name(connections: Connections, user: str) -> None:
    names = ["mine", "pointsman", "pointsman.mine", "pointsman.replies.other", "amq.mine"]
    names += [f"pointsman.{kind}.{user}er" for kind in ("replies", "subscribers")]
    names += ["pointsman.replies", "pointsman.subscribers", "my.pointsman.requests"]
    for name in names:
        assert await permitted(connections[user], MAKE, name) == 0, name


async def test_the_consumer_uses_no_queue_but_its_own(connections: Connections) -> None:
    replies = "pointsman.replies.billing"
    async with connections[PRODUCER].channel() as channel:
        await channel.queue_declare(replies, durable=True)
        for queue in (replies, STRANGERS_QUEUE):
            assert await permitted(connections[CONSUMER], USE, queue) == 0, queue
        await channel.queue_delete(replies)


@pytest.mark.parametrize("user", USERS)
async def test_nobody_enters_another_virtual_host(place: Place, user: str) -> None:
    url = place.url_of(user).rpartition("/")[0]
    with pytest.raises(BrokerRefused):
        await connect(url, "test")
