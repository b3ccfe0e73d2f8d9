"""A broker that only routes: where a message goes by a description, and how long that takes."""

from dataclasses import dataclass

from consumer.topology.values import Binding, ExchangeType, Queue, Target, Topology


@dataclass(frozen=True, slots=True)
class Arrival:
    """A queue that keeps a message, and after how many milliseconds it came there."""

    queue: str
    milliseconds: int


class Simulation:
    """Routes by bindings, alternate exchanges and times to live, as AMQP and RabbitMQ say."""

    def __init__(self, topology: Topology) -> None:
        self._exchanges = {exchange.name: exchange for exchange in topology.exchanges}
        self._queues = {queue.name: queue for queue in topology.queues}
        self._bindings: dict[str, list[Binding]] = {name: [] for name in self._exchanges}
        for binding in topology.bindings:
            self._bindings[binding.source].append(binding)

    def publish(self, exchange: str, routing_key: str) -> list[Arrival]:
        """Where the message ends up, once in each queue, all times to live being over."""
        arrivals: list[Arrival] = []
        for queue in sorted(self._route(exchange, routing_key)):
            arrivals += self._wait(self._queues[queue], routing_key)
        return arrivals

    def _route(self, exchange: str, routing_key: str) -> set[str]:
        queues: set[str] = set()
        for binding in self._bindings[exchange]:
            if not self._matches(exchange, binding, routing_key):
                continue
            if binding.target is Target.QUEUE:
                queues.add(binding.destination)
            else:
                queues |= self._route(binding.destination, routing_key)
        alternate = self._exchanges[exchange].arguments.get("alternate-exchange")
        if not queues and alternate is not None:
            return self._route(str(alternate), routing_key)
        return queues

    def _matches(self, exchange: str, binding: Binding, routing_key: str) -> bool:
        match self._exchanges[exchange].type:
            case ExchangeType.FANOUT:
                return True
            case ExchangeType.DIRECT:
                return binding.routing_key == routing_key
            case ExchangeType.TOPIC:
                return topic_matches(binding.routing_key.split("."), routing_key.split("."))

    def _wait(self, queue: Queue, routing_key: str) -> list[Arrival]:
        time_to_live = queue.arguments.get("x-message-ttl")
        if time_to_live is None:
            return [Arrival(queue.name, 0)]
        waited = int(time_to_live)
        return [
            Arrival(arrival.queue, arrival.milliseconds + waited)
            for arrival in self.publish(str(queue.arguments["x-dead-letter-exchange"]), routing_key)
        ]


def topic_matches(pattern: list[str], words: list[str]) -> bool:
    """Whether a topic pattern fits: ``*`` is one word, ``#`` any number of them."""
    if not pattern:
        return not words
    head, *rest = pattern
    if head == "#":
        return any(topic_matches(rest, words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and head in ("*", words[0]) and topic_matches(rest, words[1:])
