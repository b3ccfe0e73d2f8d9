import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery, Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.errors import ConflictingTopologyError, ForbiddenTopologyError
from consumer.topology.names import (
    REQUESTS,
    delay_exchange,
    delay_routing_key,
    partition_queue,
    slot,
)
from tests.consumer.users import limited_user
from tests.servers.vhosts import Vhost

PARTITIONS = 4
HOUR = 3600


@asynccontextmanager
async def all_partitions(connection: BrokerConnection) -> AsyncIterator[Intake]:
    sources = [Source(partition_queue(number), number) for number in range(PARTITIONS)]
    intake = await Intake.open(connection, sources, prefetch=256)
    yield intake
    await intake.close()


async def receive(intake: Intake, count: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    while len(deliveries) < count:
        deliveries += await intake.next_batch(count)
    await intake.settle(deliveries)
    return deliveries


def message(name: str, exchange: str, routing_key: str) -> Outgoing:
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=b"{}",
        properties=Properties(message_id=name),
    )


async def test_what_is_declared_is_there_and_declaring_it_again_changes_nothing(
    connection: BrokerConnection, vhost: Vhost
) -> None:
    topology = describe(PARTITIONS)

    await declare(connection, topology)
    await declare(connection, topology)

    listed = await asyncio.to_thread(
        vhost.server.run_ctl, "list_queues", "--vhost", vhost.name, "name", "type", "durable"
    )
    queues = {tuple(line.split()) for line in listed.splitlines()[1:]}
    assert queues == {(queue.name, "quorum", "true") for queue in topology.queues}


async def test_every_slot_goes_to_its_partition(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await declare(connection, describe(PARTITIONS))
    publisher = await Publisher.open(publishing)
    runs = [UUID(int=number) for number in range(256)]

    outcomes = await publisher.publish([message(str(run), REQUESTS, slot(run)) for run in runs])
    async with all_partitions(connection) as intake:
        arrived = await receive(intake, len(runs))

    assert set(outcomes) == {Outcome.CONFIRMED}
    assert {each.properties.message_id: each.partition for each in arrived} == {
        str(run): run.int % PARTITIONS for run in runs
    }


async def test_a_request_with_a_key_that_is_no_slot_is_served_by_the_first_partition(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await declare(connection, describe(PARTITIONS))
    publisher = await Publisher.open(publishing)

    outcomes = await publisher.publish([message("strange", REQUESTS, "AB")])
    async with all_partitions(connection) as intake:
        [arrived] = await receive(intake, 1)

    assert outcomes == [Outcome.CONFIRMED]
    assert (arrived.properties.message_id, arrived.partition) == ("strange", 0)


async def test_short_delays_come_back_in_their_order_past_a_long_one_before_them(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await declare(connection, describe(PARTITIONS))
    publisher = await Publisher.open(publishing)
    delays = [HOUR, HOUR + 1, 4, 3, 2, 1]

    await publisher.publish(
        [
            message(
                f"{seconds} s to {partition}",
                delay_exchange(seconds),
                delay_routing_key(seconds, partition),
            )
            for seconds in delays
            for partition in range(PARTITIONS)
        ]
    )
    async with all_partitions(connection) as intake:
        arrived = await receive(intake, 4 * PARTITIONS)

    assert [each.properties.message_id for each in arrived if each.partition == 2] == [
        "1 s to 2",
        "2 s to 2",
        "3 s to 2",
        "4 s to 2",
    ]
    assert all(
        (each.properties.message_id or "").endswith(f" to {each.partition}") for each in arrived
    )


async def test_a_queue_that_is_made_otherwise_is_named_with_what_to_do(
    connection: BrokerConnection,
) -> None:
    async with connection.channel() as channel:
        await channel.queue_declare(
            "pointsman.delay.3",
            durable=True,
            arguments={"x-queue-type": "quorum", "x-message-ttl": 1},
        )

    with pytest.raises(ConflictingTopologyError) as caught:
        await declare(connection, describe(PARTITIONS))

    sentence = str(caught.value)
    assert caught.value.name == "pointsman.delay.3"
    assert "'pointsman.delay.3'" in sentence
    assert "delete it and declare again" in sentence
    assert "\n" not in sentence


async def test_an_exchange_of_another_type_is_named_too(connection: BrokerConnection) -> None:
    async with connection.channel() as channel:
        await channel.exchange_declare(
            exchange="pointsman.decisions", exchange_type="fanout", durable=True
        )

    with pytest.raises(ConflictingTopologyError, match=r"exchange 'pointsman\.decisions'"):
        await declare(connection, describe(PARTITIONS))


async def test_a_user_who_may_not_declare_is_told_so(vhost: Vhost) -> None:
    with limited_user(vhost) as url:
        connection = await connect(url, "test")

        with pytest.raises(ForbiddenTopologyError, match="may not declare"):
            await declare(connection, describe(PARTITIONS))

        await connection.close()
