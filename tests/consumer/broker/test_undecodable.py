"""What other clients' readers die of, between good neighbours in the same prefetch."""

import struct

import pytest

from consumer.broker.connection import BrokerConnection
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Properties
from tests.consumer.broker.queues import fill, ids, make_queue, take
from tests.consumer.broker.raw_publishing import RawMessage, publish_raw

QUEUE = "requests"
HEADERS = 1 << 13
MESSAGE_ID = 1 << 7
TIMESTAMP = 1 << 6


def table(entries: bytes) -> bytes:
    return struct.pack(">I", len(entries)) + entries


def nested(depth: int) -> bytes:
    value = table(b"")
    for _ in range(depth):
        value = table(b"\x01kF" + value)
    return value


KINDS = {
    "a timestamp in microseconds": (TIMESTAMP, struct.pack(">Q", 1_700_000_000_000_000)),
    "a message id that is not UTF-8": (MESSAGE_ID, b"\x02\xc3\x28"),
    "a header key that is not UTF-8": (HEADERS, table(b"\x02\xc3\x28t\x01")),
    "an absurd header timestamp": (HEADERS, table(b"\x01kT" + b"\xff" * 8)),
    "headers nested 3,000 deep": (HEADERS, nested(3_000)),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_neighbours_arrive_and_the_connection_stays(
    connection: BrokerConnection, publishing: BrokerConnection, kind: str
) -> None:
    flags, fields = KINDS[kind]
    await make_queue(connection, QUEUE)
    await fill(publishing, QUEUE, "before")
    await publish_raw(publishing, RawMessage(QUEUE.encode(), b"odd", flags, fields))
    await fill(publishing, QUEUE, "after")

    intake = await Intake.open(connection, [Source(QUEUE, 5)], prefetch=10)
    deliveries = await take(intake, 3)
    await intake.settle(deliveries)

    before, odd, after = deliveries
    assert ids([before, after]) == ["before", "after"]
    assert (odd.body, odd.properties, odd.partition) == (b"odd", Properties(), 5)
    assert odd.raw_header is not None
    assert odd.raw_header.endswith(fields)
    assert connection.loss is None


async def test_all_of_them_come_again_until_they_are_settled(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await make_queue(connection, QUEUE)
    for kind, (flags, fields) in KINDS.items():
        await publish_raw(publishing, RawMessage(QUEUE.encode(), kind.encode(), flags, fields))

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
