"""A broker that a test may kill, stop and freeze."""

from collections.abc import Callable

import pika
import pytest
from pika.exceptions import AMQPConnectionError

from deploy.servers import RabbitServer
from tests.servers.vhosts import Vhost


def _connect(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(url))


def test_a_killed_broker_comes_back_at_its_address_with_its_messages(
    own_broker: Callable[[], RabbitServer],
) -> None:
    server = own_broker()
    url = server.create_vhost("kept")
    with _connect(url) as connection:
        channel = connection.channel()
        # Not a quorum queue: RabbitMQ 3.10 loses one declared less than a second before the kill.
        channel.queue_declare("letters", durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", "letters", b"one", pika.BasicProperties(delivery_mode=2))
        # What declares a queue is on disk seconds later; with Khepri, which has no Mnesia, at once.
        server.run_ctl("eval", "mnesia:sync_log().")
        server.kill()
        with pytest.raises(AMQPConnectionError):
            connection.process_data_events(time_limit=30)

    server.start_again()

    with _connect(url) as connection:
        _, _, body = connection.channel().basic_get("letters")
        assert body == b"one"


def test_a_virtual_host_is_empty_and_its_user_may_do_everything(vhost: Vhost) -> None:
    with _connect(vhost.url) as connection:
        connection.channel().queue_declare("mine", exclusive=True)
    assert vhost.server.run_ctl("list_queues", "--vhost", vhost.name, "--no-table-headers") == ""


def test_a_deleted_virtual_host_closes_its_connections(broker: RabbitServer) -> None:
    url = broker.create_vhost("soon-gone")
    with _connect(url) as connection:
        broker.delete_vhost("soon-gone")
        with pytest.raises(AMQPConnectionError):
            connection.process_data_events(time_limit=30)
