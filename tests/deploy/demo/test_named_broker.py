"""The demo on a broker that somebody else runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from consumer.broker.address import BrokerAddress
from consumer.topology.description import describe
from consumer.topology.names import DEAD_LETTERS, partition_queue
from deploy.demo.named_broker import place_on
from deploy.demo.place import DEFAULT_PARTITIONS, DemoError, Place
from deploy.demo.topology import connect, look_for_topology
from deploy.servers import RabbitServer
from deploy.servers.ports import free_ports
from persistence.tls import TlsFiles
from tests.servers.certificates import Authority
from tests.servers.vhosts import Vhost, fresh_vhost


@pytest.fixture
def no_management() -> int:
    """A port on which no management API answers."""
    (port,) = free_ports(1)
    return port


@contextmanager
def _channel(url: str) -> Iterator[BlockingChannel]:
    with connect(url) as connection:
        yield connection.channel()


def _declare(channel: BlockingChannel, partitions: int) -> None:
    topology = describe(partitions)
    for exchange in topology.exchanges:
        channel.exchange_declare(
            exchange.name, exchange.type.value, durable=True, arguments=dict(exchange.arguments)
        )
    for queue in topology.queues:
        channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))


def test_a_user_who_may_gets_a_virtual_host_for_the_demo_that_is_gone_afterwards(
    broker: RabbitServer,
) -> None:
    with place_on(broker.url, broker.address.management_port) as place:
        assert place.amqp_url != broker.url
        connect(place.amqp_url).close()

    with pytest.raises(DemoError, match="not found"):
        connect(place.amqp_url)


def test_else_an_empty_virtual_host_is_lent_and_given_back_empty(
    vhost: Vhost, no_management: int
) -> None:
    with place_on(vhost.url, no_management) as place:
        assert place == Place(vhost.url, DEFAULT_PARTITIONS)
        with _channel(vhost.url) as channel:
            _declare(channel, place.partitions)

    with connect(vhost.url) as connection:
        found = look_for_topology(connection)
    assert not found.queues
    assert not found.exchanges


def test_an_idle_topology_is_used_as_it_is_and_stays(vhost: Vhost, no_management: int) -> None:
    with _channel(vhost.url) as channel:
        _declare(channel, partitions=3)

    with place_on(vhost.url, no_management) as place:
        assert place.partitions == 3

    with connect(vhost.url) as connection:
        found = look_for_topology(connection)
    assert len(found.queues) == len(describe(3).queues)
    assert len(found.exchanges) == len(describe(3).exchanges)


def test_it_refuses_where_a_consumer_is_at_work(vhost: Vhost, no_management: int) -> None:
    queue = partition_queue(0)
    with _channel(vhost.url) as channel:
        channel.queue_declare(queue, durable=True)
        channel.basic_consume(queue, lambda *_: None)
        with (
            pytest.raises(DemoError, match=f"A consumer is at work on {queue}"),
            place_on(vhost.url, no_management),
        ):
            pytest.fail("the demo began")


def test_it_refuses_where_messages_wait(vhost: Vhost, no_management: int) -> None:
    with _channel(vhost.url) as channel:
        channel.confirm_delivery()
        channel.queue_declare(DEAD_LETTERS, durable=True)
        channel.basic_publish("", DEAD_LETTERS, b"somebody's", pika.BasicProperties())
    with (
        pytest.raises(DemoError, match=f"Messages wait in {DEAD_LETTERS}"),
        place_on(vhost.url, no_management),
    ):
        pytest.fail("the demo began")


def test_a_broker_that_speaks_tls_is_lent_with_the_files_for_it(
    authority: Authority, tls_broker: RabbitServer, no_management: int
) -> None:
    held = authority.issue("demo")
    files = TlsFiles(ca=authority.file, cert=held.certificate, key=held.key)
    with fresh_vhost(tls_broker) as vhost:
        url = tls_broker.tls_url_of(vhost.name)

        with place_on(BrokerAddress(url, files), no_management) as place:
            assert place == Place(url, DEFAULT_PARTITIONS)

    with pytest.raises(DemoError, match="POINTSMAN_AMQP_URL"), place_on(url, no_management):
        pytest.fail("the demo began")


def test_a_broker_that_does_not_answer_is_told_in_one_line_without_the_password(
    no_management: int,
) -> None:
    url = f"amqp://someone:secret@127.0.0.1:{no_management}/"
    with pytest.raises(DemoError) as raised, place_on(url):
        pytest.fail("the demo began")
    assert "POINTSMAN_AMQP_URL" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
