"""Pointsman's queues on a broker that somebody else runs: lent if idle, given back as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from consumer.broker.address import BrokerAddress
from consumer.topology.description import describe
from consumer.topology.names import MAX_PARTITIONS, partition_queue
from deploy.demo.place import DEFAULT_PARTITIONS, DemoError
from persistence.tls import TlsSetupError

_NOT_FOUND = 404
_ALONE = "name a virtual host that the demo can have to itself"


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much there is in a queue, and how many consumers it has."""

    messages: int
    consumers: int


@dataclass(frozen=True, slots=True)
class Found:
    """What of Pointsman's topology a virtual host already holds."""

    queues: dict[str, QueueState]
    exchanges: frozenset[str]


def connect(broker: BrokerAddress | str) -> pika.BlockingConnection:
    """A connection; ``DemoError`` where there is none to be had."""
    address = BrokerAddress.of(broker)
    # Options in the query are meant for another client library.
    plain = urlsplit(address.url)._replace(query="").geturl()
    try:
        parameters = pika.URLParameters(plain)
        tls = address.tls_context()
        if tls is not None:
            parameters.ssl_options = pika.SSLOptions(tls, parameters.host)
        return pika.BlockingConnection(parameters)
    except (AMQPError, OSError, ValueError, TlsSetupError) as error:
        where = urlsplit(address.url).hostname
        why = str(error) or "it does not answer"
        raise DemoError(f"No use of the broker at {where} (POINTSMAN_AMQP_URL): {why}") from error


def _queue_state(channel: BlockingChannel, name: str) -> QueueState | None:
    try:
        declared = channel.queue_declare(name, passive=True).method
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return None
    return QueueState(declared.message_count, declared.consumer_count)


def _exchange_exists(channel: BlockingChannel, name: str) -> bool:
    try:
        channel.exchange_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return False
    return True


def look_for_topology(connection: pika.BlockingConnection) -> Found:
    """Ask for each queue and exchange by name; each that is missing costs a channel."""
    channel = connection.channel()
    queues: dict[str, QueueState] = {}
    exchanges: set[str] = set()
    whole = describe(MAX_PARTITIONS)
    for queue in whole.queues:
        state = _queue_state(channel, queue.name)
        if state is None:
            channel = connection.channel()
        else:
            queues[queue.name] = state
    for exchange in whole.exchanges:
        if _exchange_exists(channel, exchange.name):
            exchanges.add(exchange.name)
        else:
            channel = connection.channel()
    return Found(queues, frozenset(exchanges))


def partitions_to_use(found: Found) -> int:
    """As many partitions as there are, or the default number where there are none.

    Raises ``DemoError`` where anything is at work on a queue or waits in it.
    """
    for name, state in found.queues.items():
        if state.consumers:
            raise DemoError(f"A consumer is at work on {name}: {_ALONE}")
        if state.messages:
            raise DemoError(f"Messages wait in {name}: {_ALONE}")
    names = {partition_queue(number) for number in range(MAX_PARTITIONS)} & found.queues.keys()
    if names != {partition_queue(number) for number in range(len(names))}:
        raise DemoError("Some partitions' queues are missing: run `pointsman topology check`")
    return len(names) or DEFAULT_PARTITIONS


def _delete_topology(connection: pika.BlockingConnection, partitions: int) -> None:
    channel = connection.channel()
    topology = describe(partitions)
    for queue in topology.queues:
        channel.queue_delete(queue.name)
    for exchange in topology.exchanges:
        channel.exchange_delete(exchange.name)


@contextmanager
def queues_lent(broker: BrokerAddress) -> Iterator[int]:
    """The number of partitions to use; at the end what was not there before is gone again.

    Where anything of the topology was there before, all of it stays.
    """
    with connect(broker) as connection:
        found = look_for_topology(connection)
    partitions = partitions_to_use(found)
    try:
        yield partitions
    finally:
        if not found.queues and not found.exchanges:
            with connect(broker) as connection:
                _delete_topology(connection, partitions)
