"""Exchanges, queues and bindings as values; all of them are durable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Arguments = Mapping[str, str | int]


class ExchangeType(StrEnum):
    """How an exchange compares routing keys."""

    DIRECT = "direct"
    FANOUT = "fanout"
    TOPIC = "topic"


class Target(StrEnum):
    """What a binding leads to."""

    QUEUE = "queue"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange with its optional arguments, such as its alternate exchange."""

    name: str
    type: ExchangeType
    arguments: Arguments = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with its optional arguments, among them what type it is."""

    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Binding:
    """From the exchange ``source`` to a queue or another exchange; fanouts ignore the key."""

    source: str
    destination: str
    routing_key: str = ""
    target: Target = Target.QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Everything that Pointsman needs on a broker, for so many partitions."""

    partitions: int
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]

    @property
    def exchanges_and_queues(self) -> tuple[Exchange | Queue, ...]:
        """What bindings bind, in an order in which all of it can be declared."""
        return (*self.exchanges, *self.queues)
