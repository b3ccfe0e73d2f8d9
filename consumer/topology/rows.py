"""The topology as rows, for a table or for JSON."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import JsonValue

from consumer.topology.values import Arguments, Topology

Row = dict[str, JsonValue]


class Column(StrEnum):
    """What a row tells; a column that does not apply is null."""

    KIND = "kind"
    NAME = "name"
    TYPE = "type"
    SOURCE = "source"
    ROUTING_KEY = "routing_key"
    ARGUMENTS = "arguments"


def rows(topology: Topology) -> Iterator[Row]:
    """A row for each exchange, then each queue, then each binding, whose name is its target's."""
    for exchange in topology.exchanges:
        yield _row("exchange", exchange.name, exchange.type.value, exchange.arguments)
    for queue in topology.queues:
        yield _row("queue", queue.name, str(queue.arguments["x-queue-type"]), queue.arguments)
    for binding in topology.bindings:
        yield {
            **_row("binding", binding.destination, binding.target.value, {}),
            Column.SOURCE: binding.source,
            Column.ROUTING_KEY: binding.routing_key,
        }


def _row(kind: str, name: str, type_: str, arguments: Arguments) -> Row:
    return {
        Column.KIND: kind,
        Column.NAME: name,
        Column.TYPE: type_,
        Column.SOURCE: None,
        Column.ROUTING_KEY: None,
        Column.ARGUMENTS: dict(arguments),
    }
