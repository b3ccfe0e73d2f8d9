"""Declaring the topology on a broker."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiormq.abc import AbstractChannel, ArgumentsType

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import ChannelClosedByBroker
from consumer.broker.translation import broker_errors
from consumer.topology.errors import topology_error
from consumer.topology.values import Binding, Exchange, Queue, Target, Topology


async def declare(connection: BrokerConnection, topology: Topology) -> None:
    """Make what is missing of the topology; what is there already stays as it is.

    Raises:
        ConflictingTopologyError: something is there under a name of ours and differs.
        ForbiddenTopologyError: the broker's user lacks a permission.
        TopologyError: the broker refused for another reason.
        BrokerConnectionLost: the connection is gone.
    """
    async with connection.channel() as channel:
        for thing in topology.exchanges_and_queues:
            await declare_one(channel, thing)
        for binding in topology.bindings:
            await _bind(channel, binding)


async def declare_one(channel: AbstractChannel, thing: Exchange | Queue) -> None:
    """Make one exchange or queue, or see that it is as described."""
    arguments: ArgumentsType = {**thing.arguments}
    if isinstance(thing, Queue):
        with _refusal("queue", thing.name):
            await channel.queue_declare(thing.name, durable=True, arguments=arguments)
        return
    with _refusal("exchange", thing.name):
        await channel.exchange_declare(
            exchange=thing.name,
            exchange_type=thing.type.value,
            durable=True,
            arguments=arguments,
        )


async def _bind(channel: AbstractChannel, binding: Binding) -> None:
    with _refusal(f"binding from {binding.source!r} to", binding.destination):
        if binding.target is Target.EXCHANGE:
            await channel.exchange_bind(
                destination=binding.destination,
                source=binding.source,
                routing_key=binding.routing_key,
            )
        else:
            await channel.queue_bind(binding.destination, binding.source, binding.routing_key)


@contextmanager
def _refusal(what: str, name: str) -> Iterator[None]:
    try:
        with broker_errors():
            yield
    except ChannelClosedByBroker as error:
        raise topology_error(what, name, error.code, error.text) from error
