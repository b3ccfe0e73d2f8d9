"""The one description of Pointsman's exchanges and queues, for declaring, showing and checking."""

from collections.abc import Iterator

from consumer.topology.ladder import ladder_bindings, ladder_exchanges, ladder_queues
from consumer.topology.names import (
    DEAD_LETTERS,
    DECISIONS,
    DELIVER,
    MAX_PARTITIONS,
    REQUESTS,
    SLOTS,
    UNROUTED,
    partition_queue,
)
from consumer.topology.values import Arguments, Binding, Exchange, ExchangeType, Queue, Topology

# A backstop only: what fails is counted in the database, long before the broker's count ends.
PARTITION_DELIVERY_LIMIT = 1000

# The most that can be said. A negative limit means 0 to RabbitMQ 3.10, which then destroys letters
# at the first lost connection; none at all means 20 from 4.0 on.
LETTER_DELIVERY_LIMIT = 2**31 - 1


def describe(partitions: int) -> Topology:
    """The topology of so many partitions, 1 to ``MAX_PARTITIONS``."""
    if not 1 <= partitions <= MAX_PARTITIONS:
        raise ValueError(f"there can be 1 to {MAX_PARTITIONS} partitions, not {partitions}")
    return Topology(
        partitions=partitions,
        exchanges=tuple(_exchanges()),
        queues=tuple(_queues(partitions)),
        bindings=tuple(_bindings(partitions)),
    )


def _exchanges() -> Iterator[Exchange]:
    yield Exchange(DEAD_LETTERS, ExchangeType.FANOUT)
    yield Exchange(UNROUTED, ExchangeType.FANOUT)
    yield Exchange(REQUESTS, ExchangeType.DIRECT, {"alternate-exchange": UNROUTED})
    yield Exchange(DECISIONS, ExchangeType.TOPIC)
    yield Exchange(DELIVER, ExchangeType.TOPIC, {"alternate-exchange": DEAD_LETTERS})
    yield from ladder_exchanges()


def _queues(partitions: int) -> Iterator[Queue]:
    yield Queue(DEAD_LETTERS, {"x-queue-type": "quorum", "x-delivery-limit": LETTER_DELIVERY_LIMIT})
    for partition in range(partitions):
        yield Queue(partition_queue(partition), _governed())
    yield from ladder_queues()


def _bindings(partitions: int) -> Iterator[Binding]:
    yield Binding(DEAD_LETTERS, DEAD_LETTERS)
    yield Binding(UNROUTED, partition_queue(0))
    for number in range(SLOTS):
        yield Binding(REQUESTS, partition_queue(number % partitions), f"{number:02x}")
    for partition in range(partitions):
        yield Binding(DELIVER, partition_queue(partition), f"#.{partition}")
    yield from ladder_bindings()


def _governed() -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": PARTITION_DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_LETTERS,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
