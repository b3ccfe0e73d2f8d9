import asyncio
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from consumer.broker.connection import connect
from consumer.broker.intake import Intake, Source
from consumer.topology.names import REQUESTS
from tests.chaos.load.items import Item, Outbox
from tests.chaos.load.lanes import Lane
from tests.chaos.proxy import Mode, Proxy
from tests.servers.vhosts import Vhost

QUEUE = "requests"


@pytest.fixture
async def line(vhost: Vhost) -> AsyncIterator[Proxy]:
    """A way to a broker where requests end up in one queue."""
    connection = await connect(vhost.url, "test set-up")
    async with connection.channel() as channel:
        await channel.exchange_declare(exchange=REQUESTS, exchange_type="fanout")
        await channel.queue_declare(QUEUE, durable=True)
        await channel.queue_bind(QUEUE, REQUESTS)
    await connection.close()
    async with Proxy.to(vhost.server.host, vhost.server.port) as proxy:
        yield proxy


async def arrived(vhost: Vhost, count: int) -> list[str | None]:
    """The ids of the first so many messages that arrived."""
    connection = await connect(vhost.url, "test")
    intake = await Intake.open(connection, [Source(QUEUE)], prefetch=100)
    ids: list[str | None] = []
    while len(ids) < count:
        ids += [delivery.properties.message_id for delivery in await intake.next_batch(100)]
    await connection.close()
    return ids


def items(count: int) -> list[Item]:
    return [Item(routing_key="", body=b"{}", request_id=str(number)) for number in range(count)]


async def test_what_is_given_is_published_in_order_and_confirmed(line: Proxy, vhost: Vhost) -> None:
    given, outbox = items(25), Outbox()
    lane = Lane(3, str(URL(vhost.url).with_port(line.port)), outbox)
    for item in given:
        lane.give(item)
    running = asyncio.create_task(lane.run())
    assert await arrived(vhost, 25) == [item.request_id for item in given]
    await lane.drained()
    sent = outbox.sent()
    assert [(each.lane, each.position, each.copies) for each in sent] == [
        (3, number, 1) for number in range(25)
    ]
    assert all(each.confirmed for each in sent)
    running.cancel()


async def test_what_was_not_confirmed_is_published_again_in_the_same_order(
    line: Proxy, vhost: Vhost
) -> None:
    given, outbox = items(3), Outbox()
    lane = Lane(0, str(URL(vhost.url).with_port(line.port)), outbox)
    running = asyncio.create_task(lane.run())
    first = Item(routing_key="", body=b"{}", request_id="first")
    lane.give(first)
    await lane.drained()
    await line.set_mode(Mode.MUTE)
    for item in given:
        lane.give(item)
    assert await arrived(vhost, 4) == ["first", "0", "1", "2"]
    await line.set_mode(Mode.DROP)
    await line.set_mode(Mode.PASS)
    await lane.drained()
    assert await arrived(vhost, 7) == ["first", "0", "1", "2", "0", "1", "2"]
    assert [each.copies for each in outbox.sent()] == [1, 2, 2, 2]
    running.cancel()
