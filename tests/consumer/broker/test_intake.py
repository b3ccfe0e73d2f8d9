import asyncio

import pytest

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import (
    BrokerConnectionLost,
    ChannelClosedByBroker,
    ConsumerCancelled,
)
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery
from consumer.broker.publisher import Publisher
from tests.consumer.broker.queues import fill, ids, make_queue, message, take
from tests.servers.vhosts import Vhost

QUEUE = "requests"
SOURCES = [Source(QUEUE, 0)]


@pytest.fixture
async def queue(connection: BrokerConnection) -> None:
    await make_queue(connection, QUEUE)


async def queue_length(connection: BrokerConnection) -> int:
    async with connection.channel() as channel:
        declared = await channel.queue_declare(QUEUE, passive=True)
    return int(declared.message_count or 0)


@pytest.mark.usefixtures("queue")
async def test_a_batch_is_what_is_there_in_its_order_and_at_most_so_many(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await fill(publishing, QUEUE, "a", "b", "c", "d", "e")
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    all_of_them = await take(intake, 5)
    await intake.settle(all_of_them)
    await fill(publishing, QUEUE, "f")

    batch = await intake.next_batch(100)

    assert ids(all_of_them) == ["a", "b", "c", "d", "e"]
    assert ids(batch) == ["f"]


@pytest.mark.usefixtures("queue")
async def test_a_batch_is_never_larger_than_its_limit(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await fill(publishing, QUEUE, "a", "b", "c")
    intake = await Intake.open(connection, SOURCES, prefetch=10)

    sizes = [len(await intake.next_batch(1)) for _ in range(3)]

    assert sizes == [1, 1, 1]


@pytest.mark.usefixtures("queue")
async def test_a_wait_for_a_batch_can_be_cancelled_without_a_loss(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await intake.next_batch(10)

    await fill(publishing, QUEUE, "a")

    assert ids(await intake.next_batch(10)) == ["a"]


async def test_deliveries_tell_their_partition_and_are_settled_in_it(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    for name in ("first", "second"):
        await make_queue(connection, name)
        await fill(publishing, name, f"{name} a", f"{name} b")
    sources = [Source("first", 0), Source("second", 1)]
    intake = await Intake.open(connection, sources, prefetch=10)

    deliveries = await take(intake, 4)
    await intake.settle([each for each in deliveries if each.partition == 1])
    await intake.close()

    assert {each.properties.message_id: (each.partition, each.tag) for each in deliveries} == {
        "first a": (0, 1),
        "first b": (0, 2),
        "second a": (1, 1),
        "second b": (1, 2),
    }
    again = await Intake.open(connection, sources, prefetch=10)
    assert ids(await take(again, 2)) == ["first a", "first b"]


@pytest.mark.usefixtures("queue")
async def test_no_more_than_the_prefetch_is_out_at_a_time(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await fill(publishing, QUEUE, "a", "b", "c", "d")
    intake = await Intake.open(connection, SOURCES, prefetch=2)
    first = await take(intake, 2)

    assert await queue_length(connection) == 2
    await intake.settle(first)
    assert ids(await take(intake, 2)) == ["c", "d"]


@pytest.mark.usefixtures("queue")
async def test_what_is_not_settled_comes_again_in_order_when_the_intake_is_closed(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await fill(publishing, QUEUE, *"abcdef")
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    a, b, c, d, *_ = await take(intake, 6)

    await intake.settle([d])
    await intake.settle([b, a])
    await intake.close()

    again = await Intake.open(connection, SOURCES, prefetch=10)
    deliveries = await take(again, 4)
    assert ids([c, *deliveries]) == ["c", "c", "d", "e", "f"]
    assert all(each.redelivered for each in deliveries)


@pytest.mark.usefixtures("queue")
async def test_a_closed_intake_gives_and_takes_nothing(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await fill(publishing, QUEUE, "a", "b")
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    deliveries = await take(intake, 2)

    await intake.close()

    with pytest.raises(BrokerConnectionLost, match="was closed"):
        await intake.next_batch(1)
    with pytest.raises(BrokerConnectionLost, match="was closed"):
        await intake.settle(deliveries)


async def waiting(intake: Intake) -> "asyncio.Task[list[Delivery]]":
    """A task that has come to wait for a batch."""
    task = asyncio.create_task(intake.next_batch(1))
    await asyncio.wait({task}, timeout=0)
    assert not task.done()
    return task


@pytest.mark.usefixtures("queue")
async def test_a_connection_that_the_broker_closes_is_lost_with_all_that_was_out(
    connection: BrokerConnection, publishing: BrokerConnection, vhost: Vhost
) -> None:
    await fill(publishing, QUEUE, "a", "b")
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    deliveries = await take(intake, 2)
    batch = await waiting(intake)

    await asyncio.to_thread(
        vhost.server.run_ctl, "close_all_connections", "--vhost", vhost.name, "by the operator"
    )

    with pytest.raises(BrokerConnectionLost, match="by the operator"):
        await batch
    with pytest.raises(BrokerConnectionLost, match="by the operator"):
        await intake.settle(deliveries)
    assert "by the operator" in await connection.lost()
    await intake.close()


@pytest.mark.usefixtures("queue")
async def test_a_queue_that_is_deleted_is_noticed(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    batch = await waiting(intake)

    async with publishing.channel() as channel:
        await channel.queue_delete(QUEUE)

    with pytest.raises(ConsumerCancelled):
        await batch
    assert connection.loss is None


@pytest.mark.usefixtures("queue")
async def test_a_channel_that_the_broker_closes_is_told_with_its_cause(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await fill(publishing, QUEUE, "a")
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    [delivery] = await take(intake, 1)
    batch = await waiting(intake)
    other = await Intake.open(connection, SOURCES, prefetch=10)

    await intake.settle([delivery])
    unknown = Delivery(
        body=b"",
        properties=delivery.properties,
        exchange="",
        routing_key=QUEUE,
        redelivered=False,
        tag=2,
        partition=0,
    )
    await intake.settle([unknown])

    with pytest.raises(ChannelClosedByBroker, match="unknown delivery tag") as caught:
        await batch
    assert caught.value.code == 406
    await fill(publishing, QUEUE, "b")
    assert ids(await other.next_batch(1)) == ["b"]


async def test_a_queue_that_does_not_exist_is_told_when_the_intake_is_opened(
    connection: BrokerConnection,
) -> None:
    with pytest.raises(ChannelClosedByBroker, match="no queue 'nowhere'") as caught:
        await Intake.open(connection, [Source("nowhere")], prefetch=1)

    assert caught.value.code == 404
    assert connection.loss is None


@pytest.mark.usefixtures("queue")
async def test_large_bodies_arrive_whole(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    publisher = await Publisher.open(publishing)
    body = bytes(range(256)) * 2_000

    await publisher.publish([message(QUEUE, "large", body), message(QUEUE, "small")])
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    large, small = await take(intake, 2)

    assert (large.body, small.body) == (body, b"{}")


async def test_a_broker_that_does_not_let_go_of_a_channel_loses_the_connection(
    frail_vhost: Vhost,
) -> None:
    connection = await connect(frail_vhost.url, "test")
    await make_queue(connection, QUEUE)
    intake = await Intake.open(connection, SOURCES, prefetch=10)
    await asyncio.to_thread(frail_vhost.server.pause)
    try:
        await intake.close()
    finally:
        await asyncio.to_thread(frail_vhost.server.unpause)

    assert connection.loss == "the broker did not answer when a channel was closed"
    await connection.close()
