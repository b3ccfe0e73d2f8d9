"""Comparing a broker with the topology, as far as AMQP alone can tell.

AMQP can't list what is there. Whether a thing exists is asked passively; whether it is as described
is asked by declaring it once more, which changes nothing where it exists. Bindings can't be asked
for at all: to declare them is the one way to be sure of them.
"""

from dataclasses import dataclass
from enum import StrEnum

from aiormq.abc import AbstractChannel

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import ChannelClosedByBroker
from consumer.topology.declare import declare_one
from consumer.topology.errors import (
    ConflictingTopologyError,
    ForbiddenTopologyError,
    TopologyError,
)
from consumer.topology.names import MAX_PARTITIONS, partition_queue
from consumer.topology.values import Exchange, Queue, Topology

_NOT_FOUND = 404


class ProblemKind(StrEnum):
    """In what way the broker differs from the description."""

    MISSING = "missing"
    CONFLICTING = "conflicting"
    SURPLUS = "surplus"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference; ``sentence`` says it to a person, with what to do."""

    kind: ProblemKind
    name: str
    sentence: str


async def check(connection: BrokerConnection, topology: Topology) -> list[Problem]:
    """Every difference that can be seen, nothing being made or changed.

    Raises:
        BrokerConnectionLost: the connection is gone.
    """
    problems = [
        problem
        for thing in topology.exchanges_and_queues
        if (problem := await _compare(connection, thing)) is not None
    ]
    return problems + await _surplus(connection, topology.partitions)


async def _compare(connection: BrokerConnection, thing: Exchange | Queue) -> Problem | None:
    what = "queue" if isinstance(thing, Queue) else "exchange"
    try:
        # The broker ends a channel over every error, so each thing is asked for on its own.
        async with connection.channel() as channel:
            await _ask_for(channel, thing)
            await declare_one(channel, thing)
    except ConflictingTopologyError as error:
        return Problem(ProblemKind.CONFLICTING, thing.name, str(error))
    except ForbiddenTopologyError as error:
        return Problem(ProblemKind.FORBIDDEN, thing.name, str(error))
    except TopologyError as error:
        return Problem(ProblemKind.UNKNOWN, thing.name, str(error))
    except ChannelClosedByBroker as error:
        if error.code == _NOT_FOUND:
            sentence = f"the {what} {thing.name!r} is missing; run 'pointsman topology declare'"
            return Problem(ProblemKind.MISSING, thing.name, sentence)
        sentence = f"the {what} {thing.name!r} can't be looked at: {error.text}"
        return Problem(ProblemKind.UNKNOWN, thing.name, sentence)
    return None


async def _ask_for(channel: AbstractChannel, thing: Exchange | Queue) -> None:
    if isinstance(thing, Queue):
        await channel.queue_declare(thing.name, passive=True)
    else:
        await channel.exchange_declare(exchange=thing.name, passive=True)


async def _surplus(connection: BrokerConnection, partitions: int) -> list[Problem]:
    # Partitions are numbered without gaps: one more than described means that there once were more.
    if partitions == MAX_PARTITIONS:
        return []
    name = partition_queue(partitions)
    try:
        async with connection.channel() as channel:
            await channel.queue_declare(name, passive=True)
    except ChannelClosedByBroker:
        return []
    sentence = (
        f"the queue {name!r} exists beside the {partitions} partitions that are set, so that"
        " requests would be delivered twice; set POINTSMAN_PARTITIONS as it was, or drain and"
        " delete the queues of the partitions that are no more"
    )
    return [Problem(ProblemKind.SURPLUS, name, sentence)]
