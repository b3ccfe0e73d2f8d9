"""How many messages wait, and who takes them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import ChannelClosedByBroker
from consumer.checking.findings import Finding
from consumer.topology.names import DEAD_LETTERS, partition_queue

_MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue as the broker tells of it; both are None where it can't be looked at.

    ``waiting`` are messages that no consumer holds.
    """

    queue: str
    waiting: int | None = None
    consumers: int | None = None

    @property
    def is_served(self) -> bool:
        """Whether somebody takes what comes."""
        return bool(self.consumers)

    @property
    def line(self) -> str:
        """It, for a person."""
        if self.waiting is None:
            return f"{self.queue} can't be looked at"
        return f"{self.queue}: waiting {self.waiting}, consumers {self.consumers}"


async def depth_of(connection: BrokerConnection, queue: str) -> Depth:
    """Look at a queue."""
    try:
        async with connection.channel() as channel:  # the broker ends it where there is no queue
            told = await channel.queue_declare(queue, passive=True)
    except ChannelClosedByBroker:
        return Depth(queue)
    return Depth(queue, told.message_count, told.consumer_count)


async def check_partitions(connection: BrokerConnection, partitions: int) -> Finding:
    """Whether each partition's queue is there and has a consumer."""
    depths = [await depth_of(connection, partition_queue(each)) for each in range(partitions)]
    waiting = sum(each.waiting or 0 for each in depths)
    unserved = [each for each in depths if not each.is_served]
    return Finding(
        "partitions",
        ok=not unserved,
        lines=tuple(_lines(depths, unserved, waiting)),
        details={"waiting": waiting, "queues": [asdict(each) for each in depths]},
    )


def _lines(depths: Sequence[Depth], unserved: Sequence[Depth], waiting: int) -> Iterator[str]:
    yield f"{len(depths)} partitions, {waiting} requests waiting"
    if len(unserved) == len(depths):
        yield "nobody governs: start 'pointsman consume'"
    else:
        yield from (each.line for each in unserved[:_MOST_LINES])
    busy = [each for each in depths if each.waiting and each not in unserved]
    busy.sort(key=lambda each: each.waiting or 0, reverse=True)
    yield from (each.line for each in busy[:_MOST_LINES])


async def check_dead_letter_queue(connection: BrokerConnection) -> Finding:
    """Whether letters that wait for their table have somebody who moves them there."""
    depth = await depth_of(connection, DEAD_LETTERS)
    stuck = bool(depth.waiting) and not depth.is_served
    remedy = ("a running consumer moves them into their table",) if stuck else ()
    ok = None if depth.waiting is None else not stuck
    return Finding("dead-letter-queue", ok, (depth.line, *remedy), asdict(depth))
