"""What can be seen of the broker by AMQP alone."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import unquote

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerConnectionLost, BrokerError
from consumer.checking.findings import Finding, failed, unknown
from consumer.checking.flags import NAME as FLAGS
from consumer.checking.flags import check_flags
from consumer.checking.permissions import check_permissions
from consumer.checking.publishing import NAME as PUBLISHING
from consumer.checking.publishing import check_publishing
from consumer.checking.queues import check_dead_letter_queue, check_partitions
from consumer.topology.check import Problem, ProblemKind, check
from consumer.topology.description import describe

BROKER = "broker"
TOPOLOGY = "topology"
OTHERS = (PUBLISHING, TOPOLOGY, "permissions", "partitions", "dead-letter-queue", FLAGS)

_MOST_LINES = 10
_UNSEEN = frozenset({ProblemKind.FORBIDDEN, ProblemKind.UNKNOWN})


async def check_broker(address: BrokerAddress, partitions: int) -> list[Finding]:
    """Everything about the broker; where it can't be reached, that."""
    try:
        async with _connected(address) as connection:
            return [_reached(address, connection), *await _look(address, connection, partitions)]
    except BrokerError as error:
        return [failed(BROKER, str(error)), *unknown(OTHERS, "there is no broker to ask")]


def _reached(address: BrokerAddress, connection: BrokerConnection) -> Finding:
    target = address.target
    details = {
        "place": address.place,
        "tls": target.scheme == "amqps",
        "virtual_host": unquote(target.raw_path[1:]) or "/",
        "user": target.user,
        "version": connection.broker_version,
    }
    line = f"RabbitMQ {connection.broker_version} at {address.place}"
    return Finding(BROKER, ok=True, lines=(line,), details=details)


async def _look(
    address: BrokerAddress, connection: BrokerConnection, partitions: int
) -> list[Finding]:
    try:
        async with _connected(address) as expendable:
            publishing = await check_publishing(expendable)
    except BrokerConnectionLost as error:
        publishing = failed(PUBLISHING, str(error))
    problems = await check(connection, describe(partitions))
    queue = await check_dead_letter_queue(connection)
    return [
        publishing,
        _topology(problems),
        await check_permissions(connection, problems, publishing, queue),
        await check_partitions(connection, partitions),
        queue,
        await _flags(address),
    ]


async def _flags(address: BrokerAddress) -> Finding:
    async with _connected(address) as expendable:
        return await check_flags(expendable)


def _topology(problems: Sequence[Problem]) -> Finding:
    told = [
        {"kind": each.kind.value, "name": each.name, "problem": each.sentence} for each in problems
    ]
    ok = None if problems and all(each.kind in _UNSEEN for each in problems) else not problems
    return Finding(TOPOLOGY, ok, tuple(_lines(problems)), {"problems": told, "bindings": None})


def _lines(problems: Sequence[Problem]) -> Iterator[str]:
    if not problems:
        yield "exchanges and queues are as the settings ask; bindings can't be seen"
    elif all(each.kind is ProblemKind.FORBIDDEN for each in problems):
        yield "the broker's user may not declare, so that they can't be compared with the settings"
    else:
        yield from (each.sentence for each in problems[:_MOST_LINES])
    if len(problems) > _MOST_LINES:
        yield f"{len(problems)} in all; see 'pointsman topology check'"


@asynccontextmanager
async def _connected(address: BrokerAddress) -> AsyncIterator[BrokerConnection]:
    connection = await connect(address, "pointsman check")
    try:
        yield connection
    finally:
        await connection.close()
