import asyncio

import pytest

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import (
    BrokerConnectionLost,
    ChannelClosedByBroker,
    PublishUnanswered,
    UnsendableMessage,
)
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from tests.consumer.broker.queues import ids, make_queue, message, take
from tests.consumer.users import limited_user
from tests.servers.vhosts import Vhost

QUEUE = "requests"
MIB = 2**20


async def make_full_queue(connection: BrokerConnection) -> None:
    """A queue that has no room for anything, and says so."""
    async with connection.channel() as channel:
        await channel.queue_declare(
            "full", durable=True, arguments={"x-max-length": 0, "x-overflow": "reject-publish"}
        )


async def test_each_message_has_an_outcome_of_its_own_in_the_order_given(
    connection: BrokerConnection,
) -> None:
    await make_queue(connection, QUEUE)
    await make_full_queue(connection)
    publisher = await Publisher.open(connection)

    outcomes = await publisher.publish(
        [
            message(QUEUE, "a"),
            message("nowhere", "b"),
            message("full", "c"),
            message(QUEUE, "d"),
            message("nowhere", "e"),
        ]
    )

    assert outcomes == [
        Outcome.CONFIRMED,
        Outcome.RETURNED,
        Outcome.REFUSED,
        Outcome.CONFIRMED,
        Outcome.RETURNED,
    ]


async def test_messages_arrive_in_the_order_in_which_they_were_published(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(publishing)
    names = [str(number) for number in range(500)]

    await publisher.publish([message(QUEUE, name) for name in names[:300]])
    await publisher.publish([message(QUEUE, name) for name in names[300:]])

    intake = await Intake.open(connection, [Source(QUEUE)], prefetch=1000)
    assert ids(await take(intake, 500)) == names


async def test_messages_with_the_same_id_have_the_outcomes_that_are_theirs(
    connection: BrokerConnection,
) -> None:
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection)

    outcomes = await publisher.publish(
        [
            message(QUEUE, "same"),
            message("nowhere", "same"),
            message("nowhere", "other"),
            message(QUEUE, "same"),
        ]
    )

    assert outcomes == [
        Outcome.CONFIRMED,
        Outcome.RETURNED,
        Outcome.RETURNED,
        Outcome.CONFIRMED,
    ]


async def test_large_messages_do_not_all_travel_at_the_same_time(
    connection: BrokerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection)
    written: list[int] = []
    write = connection.write

    def watched(frames: bytes) -> None:
        written.append(len(frames) // MIB)
        write(frames)

    monkeypatch.setattr(connection, "write", watched)
    sizes = [1, 0, 7, 7, 2, 16, 1]  # RabbitMQ 4 takes no larger one
    outcomes = await publisher.publish(
        [message(QUEUE, str(number), b"x" * size * MIB) for number, size in enumerate(sizes)]
    )

    assert outcomes == [Outcome.CONFIRMED] * len(sizes)
    assert written == [15, 2, 16, 1]


async def test_calls_at_the_same_time_follow_one_another(connection: BrokerConnection) -> None:
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection)

    outcomes = await asyncio.gather(
        publisher.publish([message(QUEUE, "same")]),
        publisher.publish([message("nowhere", "same")]),
        publisher.publish([message(QUEUE, "same")]),
    )

    assert list(outcomes) == [[Outcome.CONFIRMED], [Outcome.RETURNED], [Outcome.CONFIRMED]]


async def test_a_message_that_is_not_mandatory_is_confirmed_wherever_it_goes(
    connection: BrokerConnection,
) -> None:
    publisher = await Publisher.open(connection)
    nowhere = Outgoing(
        exchange="", routing_key="nowhere", body=b"", properties=Properties(), mandatory=False
    )

    assert await publisher.publish([nowhere, nowhere]) == [Outcome.CONFIRMED] * 2


async def test_nothing_to_publish_has_no_outcomes(connection: BrokerConnection) -> None:
    publisher = await Publisher.open(connection)

    assert await publisher.publish([]) == []


async def test_messages_are_persistent(connection: BrokerConnection) -> None:
    async with connection.channel() as channel:
        await channel.queue_declare("classic", durable=True)
    publisher = await Publisher.open(connection)
    await publisher.publish([message("classic", "a")])

    async with connection.channel() as channel:
        kept = await channel.basic_get("classic")

    assert kept.header.properties.delivery_mode == 2


async def test_of_messages_that_can_not_all_be_sent_none_is(connection: BrokerConnection) -> None:
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection)

    with pytest.raises(UnsendableMessage):
        await publisher.publish([message(QUEUE, "a"), message(QUEUE, "x" * 256)])

    await publisher.publish([message(QUEUE, "b")])
    intake = await Intake.open(connection, [Source(QUEUE)], prefetch=10)
    assert ids(await take(intake, 1)) == ["b"]


async def test_an_exchange_that_does_not_exist_ends_the_channel_with_its_name_and_no_other(
    connection: BrokerConnection,
) -> None:
    await make_queue(connection, QUEUE)
    publisher, other = await Publisher.open(connection), await Publisher.open(connection)
    stray = Outgoing(exchange="nowhere", routing_key="", body=b"", properties=Properties())

    with pytest.raises(ChannelClosedByBroker, match="no exchange 'nowhere'") as caught:
        await publisher.publish([message(QUEUE, "a"), stray])

    assert caught.value.code == 404
    with pytest.raises(ChannelClosedByBroker):
        await publisher.publish([message(QUEUE, "b")])
    assert await other.publish([message(QUEUE, "c")]) == [Outcome.CONFIRMED]
    assert connection.loss is None


async def test_an_exchange_that_may_not_be_written_to_ends_the_channel_with_its_name(
    vhost: Vhost,
) -> None:
    with limited_user(vhost) as url:
        connection = await connect(url, "test")
        publisher = await Publisher.open(connection)
        forbidden = Outgoing(
            exchange="amq.topic", routing_key="", body=b"", properties=Properties()
        )

        with pytest.raises(ChannelClosedByBroker, match=r"'amq\.topic'") as caught:
            await publisher.publish([forbidden])

        assert caught.value.code == 403
        await connection.close()


async def test_a_closed_publisher_publishes_nothing(connection: BrokerConnection) -> None:
    publisher = await Publisher.open(connection)

    await publisher.close()

    with pytest.raises(BrokerConnectionLost, match="was closed"):
        await publisher.publish([message(QUEUE, "a")])


async def test_a_connection_lost_with_messages_in_flight_is_no_answer(
    frail_vhost: Vhost,
) -> None:
    connection = await connect(frail_vhost.url, "test")
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection)
    await asyncio.to_thread(frail_vhost.server.pause)
    publish = asyncio.create_task(publisher.publish([message(QUEUE, "a")]))
    await asyncio.wait({publish}, timeout=0)

    await asyncio.to_thread(frail_vhost.server.kill)

    try:
        with pytest.raises(BrokerConnectionLost):
            await publish
    finally:
        await connection.close()
        await asyncio.to_thread(frail_vhost.server.start_again)


async def test_a_broker_that_does_not_answer_in_time_loses_the_connection(
    frail_vhost: Vhost,
) -> None:
    connection = await connect(frail_vhost.url, "test")
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection, seconds=0.2)
    await asyncio.to_thread(frail_vhost.server.pause)
    try:
        with pytest.raises(PublishUnanswered, match=r"within 0\.2 s"):
            await publisher.publish([message(QUEUE, "a")])
    finally:
        await asyncio.to_thread(frail_vhost.server.unpause)

    assert "did not answer a publish" in (connection.loss or "")
    with pytest.raises(BrokerConnectionLost):
        await publisher.publish([message(QUEUE, "b")])
    await connection.close()


async def test_while_the_broker_blocks_publishers_the_time_limit_does_not_run(
    frail_vhost: Vhost,
) -> None:
    connection = await connect(frail_vhost.url, "test")
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection, seconds=2)
    run_ctl = frail_vhost.server.run_ctl
    await asyncio.to_thread(run_ctl, "set_vm_memory_high_watermark", "0.0000001")
    try:
        publishing = asyncio.create_task(publisher.publish([message(QUEUE, "a")]))
        await asyncio.wait({publishing}, timeout=5)
        assert (publishing.done(), publisher.blocked) == (False, "low on memory")
    finally:
        await asyncio.to_thread(run_ctl, "set_vm_memory_high_watermark", "0.8")
    assert await publishing == [Outcome.CONFIRMED]
    assert publisher.blocked is None
    await connection.close()


async def test_a_publish_that_is_given_up_half_way_loses_the_connection(
    connection: BrokerConnection,
) -> None:
    await make_queue(connection, QUEUE)
    publisher = await Publisher.open(connection)
    publish = asyncio.create_task(publisher.publish([message(QUEUE, "a")]))
    await asyncio.wait({publish}, timeout=0)

    publish.cancel()

    with pytest.raises(asyncio.CancelledError):
        await publish
    assert "given up" in (connection.loss or "")
