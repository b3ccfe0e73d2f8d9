"""The ladder of delays: one queue for each bit of a delay, each as long as its bit weighs.

A delayed message enters at its highest set bit, waits in that level's queue until its time to live
is over, and is dead-lettered to the next lower level. There the exchange sends it into the queue
where its next bit is 1, past it where it is 0. All messages of a queue wait equally long, so none
holds up another. The scheme is that of NServiceBus's delay infrastructure for RabbitMQ.
"""

from collections.abc import Iterator

from consumer.topology.names import DELAY_LEVELS, DELIVER, delay_level
from consumer.topology.values import Arguments, Binding, Exchange, ExchangeType, Queue, Target


def ladder_exchanges() -> Iterator[Exchange]:
    """The exchanges of all levels, the highest first."""
    for level in _levels():
        yield Exchange(delay_level(level), ExchangeType.TOPIC)


def ladder_queues() -> Iterator[Queue]:
    """The queues of all levels, the highest first."""
    for level in _levels():
        yield Queue(delay_level(level), _waiting(level))


def ladder_bindings() -> Iterator[Binding]:
    """At each level: on bit 1 into its queue, on bit 0 past it."""
    for level in _levels():
        name = delay_level(level)
        higher_bits = "*." * (DELAY_LEVELS - 1 - level)
        yield Binding(name, name, f"{higher_bits}1.#")
        yield Binding(name, _below(level), f"{higher_bits}0.#", Target.EXCHANGE)


def _levels() -> Iterator[int]:
    return reversed(range(DELAY_LEVELS))


def _below(level: int) -> str:
    return delay_level(level - 1) if level else DELIVER


def _waiting(level: int) -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-message-ttl": 2**level * 1000,
        "x-dead-letter-exchange": _below(level),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
