"""What other clients' readers die of, between good neighbours in the same prefetch."""

import pytest

from consumer.broker.connection import BrokerConnection
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Properties
from tests.consumer.broker.queues import fill, ids, make_queue, take
from tests.consumer.broker.raw_publishing import RawMessage, publish_raw
from tests.consumer.broker.undecodable import KINDS

QUEUE = "requests"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_neighbours_arrive_and_the_connection_stays(
    connection: BrokerConnection, publishing: BrokerConnection, kind: str
) -> None:
    header = KINDS[kind]
    await make_queue(connection, QUEUE)
    await fill(publishing, QUEUE, "before")
    await publish_raw(publishing, RawMessage(QUEUE.encode(), b"odd", header.flags, header.fields))
    await fill(publishing, QUEUE, "after")

    intake = await Intake.open(connection, [Source(QUEUE, 5)], prefetch=10)
    deliveries = await take(intake, 3)
    await intake.settle(deliveries)

    before, odd, after = deliveries
    assert ids([before, after]) == ["before", "after"]
    assert (odd.body, odd.properties, odd.partition) == (b"odd", Properties(), 5)
    assert odd.raw_header is not None
    assert odd.raw_header.endswith(header.fields)
    assert connection.loss is None


async def test_all_of_them_come_again_until_they_are_settled(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await make_queue(connection, QUEUE)
    for kind, header in KINDS.items():
        odd = RawMessage(QUEUE.encode(), kind.encode(), header.flags, header.fields)
        await publish_raw(publishing, odd)

    for _ in range(3):
        intake = await Intake.open(connection, [Source(QUEUE)], prefetch=10)
        deliveries = await take(intake, len(KINDS))
        assert [each.body.decode() for each in deliveries] == list(KINDS)
        assert all(each.raw_header for each in deliveries)
        await intake.close()


async def test_a_routing_key_that_is_not_utf_8_harms_nobody(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await make_queue(connection, QUEUE)
    async with connection.channel() as channel:
        await channel.queue_bind(QUEUE, "amq.fanout", "")
    await publish_raw(publishing, RawMessage(b"\xc3\x28", b"odd", exchange=b"amq.fanout"))
    await fill(publishing, QUEUE, "after")

    intake = await Intake.open(connection, [Source(QUEUE)], prefetch=10)
    odd, after = await take(intake, 2)

    assert (odd.body, odd.routing_key) == (b"odd", "\\xc3(")
    assert ids([after]) == ["after"]
