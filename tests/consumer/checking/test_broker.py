import asyncio
from collections.abc import Callable

import pytest

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.checking.broker import OTHERS, check_broker
from consumer.checking.findings import Finding
from consumer.checking.publishing import check_publishing
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.names import DEAD_LETTERS, REQUESTS, partition_queue
from deploy.servers import RabbitServer
from tests.consumer.users import limited_user
from tests.servers.vhosts import Vhost

PARTITIONS = 2
WAIT_SECONDS = 60
NOBODY = "amqp://guest:sesame@127.0.0.1:1/"


async def found(url: str) -> dict[str, Finding]:
    return {each.name: each for each in await check_broker(BrokerAddress(url), PARTITIONS)}


async def consume(connection: BrokerConnection, *partitions: int) -> None:
    """Take from these partitions for as long as the connection lasts."""
    sources = [Source(partition_queue(each), each) for each in partitions]
    await Intake.open(connection, sources, prefetch=1)


def message(exchange: str, routing_key: str) -> Outgoing:
    return Outgoing(exchange=exchange, routing_key=routing_key, body=b"", properties=Properties())


async def test_where_all_is_in_order_nothing_has_failed(
    vhost: Vhost, connection: BrokerConnection
) -> None:
    await declare(connection, describe(PARTITIONS))
    await consume(connection, *range(PARTITIONS))

    findings = await found(vhost.url)

    assert [name for name, each in findings.items() if not each.ok] == []
    assert findings["broker"].details["virtual_host"] == vhost.name
    assert findings["broker"].details["version"][0].isdigit()
    assert findings["permissions"].details == {"configure": True, "write": True, "read": True}
    assert findings["partitions"].details["waiting"] == 0


async def test_a_broker_that_is_away_is_all_that_has_failed() -> None:
    findings = await found(NOBODY)
    assert findings["broker"].ok is False
    assert all(findings[name].ok is None for name in OTHERS)
    assert "sesame" not in str(findings)


async def test_on_a_broker_without_the_topology_that_is_told(vhost: Vhost) -> None:
    findings = await found(vhost.url)
    assert findings["topology"].ok is False
    assert any("pointsman topology declare" in line for line in findings["topology"].lines)
    assert findings["publishing"].ok is None
    assert findings["permissions"].details == {"configure": None, "write": None, "read": None}
    assert findings["dead-letter-queue"].ok is None


async def test_requests_that_nobody_takes_are_told_by_queue(
    vhost: Vhost, connection: BrokerConnection
) -> None:
    await declare(connection, describe(PARTITIONS))
    await consume(connection, 0)
    publisher = await Publisher.open(connection)
    await publisher.publish([message(REQUESTS, "01"), message(DEAD_LETTERS, "")])

    findings = await found(vhost.url)

    partitions = findings["partitions"]
    assert partitions.ok is False
    assert partitions.details["queues"] == [
        {"queue": f"{REQUESTS}.0", "waiting": 0, "consumers": 1},
        {"queue": f"{REQUESTS}.1", "waiting": 1, "consumers": 0},
    ]
    assert f"{REQUESTS}.1: waiting 1, consumers 0" in partitions.lines
    assert findings["dead-letter-queue"].ok is False
    assert findings["permissions"].details["read"] is None


async def test_where_there_is_no_consumer_at_all_that_is_said(
    vhost: Vhost, connection: BrokerConnection
) -> None:
    await declare(connection, describe(PARTITIONS))
    partitions = (await found(vhost.url))["partitions"]
    assert partitions.ok is False
    assert "pointsman consume" in partitions.lines[-1]


@pytest.mark.parametrize(
    ("permitted", "refused"),
    [
        ({"write": ".*", "read": ".*"}, "configure"),
        ({"configure": ".*", "read": ".*"}, "write"),
        ({"configure": ".*", "write": ".*"}, "read"),
    ],
)
async def test_what_the_user_may_not_do_is_told(
    vhost: Vhost, connection: BrokerConnection, permitted: dict[str, str], refused: str
) -> None:
    await declare(connection, describe(PARTITIONS))
    with limited_user(vhost, **permitted) as url:
        findings = await found(url)
    assert findings["permissions"].ok is False
    may = dict.fromkeys(("configure", "write", "read"), True)
    assert findings["permissions"].details == may | {refused: False}
    if refused == "configure":
        assert findings["topology"].ok is None


async def test_a_broker_that_blocks_publishers_is_told(
    own_broker: Callable[[], RabbitServer],
) -> None:
    broker = await asyncio.to_thread(own_broker)
    connection = await connect(broker.url, "test")
    await declare(connection, describe(PARTITIONS))
    await asyncio.to_thread(broker.run_ctl, "set_vm_memory_high_watermark", "0.0000001")
    async with asyncio.timeout(WAIT_SECONDS):
        while (publishing := await tried(broker.url)).ok:  # the broker looks at it now and then
            pass
    await connection.close()
    assert publishing.ok is False
    assert "blocks publishers: low on memory" in publishing.lines[0]


async def tried(url: str) -> Finding:
    connection = await connect(url, "test, to be lost")
    try:
        return await check_publishing(connection)
    finally:
        await connection.close()
