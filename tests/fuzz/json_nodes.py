"""JSON as it is written, so that it can be written wrongly: keys twice, numbers that are none."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that stand for a value, whether or not they are JSON."""

    raw: bytes


@dataclass(slots=True)
class Object:
    """An object as its pairs, in order."""

    pairs: list[tuple[str, Any]]


Node: TypeAlias = Any
"""A Literal, an Object, a list of nodes, or a scalar."""

Place: TypeAlias = tuple[Object | list[Node], int]
"""A node by what holds it and where."""


def to_node(value: Any) -> Node:
    """The node that stands for a value."""
    if isinstance(value, dict):
        return Object([(key, to_node(item)) for key, item in value.items()])
    if isinstance(value, list):
        return [to_node(item) for item in value]
    return value


def to_bytes(node: Node, *, ascii_only: bool = True) -> bytes:
    """The node as text."""
    match node:
        case Literal(raw):
            return raw
        case Object(pairs):
            parts = [
                _scalar(key, ascii_only=ascii_only) + b":" + to_bytes(item, ascii_only=ascii_only)
                for key, item in pairs
            ]
            return b"{" + b",".join(parts) + b"}"
        case list():
            parts = [to_bytes(item, ascii_only=ascii_only) for item in node]
            return b"[" + b",".join(parts) + b"]"
    return _scalar(node, ascii_only=ascii_only)


def _scalar(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass")


def places(node: Node) -> Iterator[Place]:
    """Every place in the node that another node could stand in."""
    inner = node.pairs if isinstance(node, Object) else node if isinstance(node, list) else []
    for at, item in enumerate(inner):
        yield node, at
        yield from places(item[1] if isinstance(node, Object) else item)


def put(place: Place, node: Node) -> None:
    """Put another node into a place."""
    holder, at = place
    if isinstance(holder, Object):
        holder.pairs[at] = (holder.pairs[at][0], node)
    else:
        holder[at] = node


def get(place: Place) -> Node:
    """The node in a place."""
    holder, at = place
    return holder.pairs[at][1] if isinstance(holder, Object) else holder[at]


def remove(place: Place) -> None:
    """Leave the place out."""
    holder, at = place
    del (holder.pairs if isinstance(holder, Object) else holder)[at]


def random_place(node: Node, chance: Random) -> Place | None:
    """Any place in the node, None where it has none."""
    found = list(places(node))
    return chance.choice(found) if found else None
