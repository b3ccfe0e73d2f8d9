"""Bodies of requests: as producers mean them, and as they come out of careless or hostile hands."""

import codecs
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from rules.states import StateType
from tests.fuzz.json_nodes import (
    Literal,
    Node,
    Object,
    get,
    put,
    random_place,
    remove,
    to_bytes,
    to_node,
)
from tests.fuzz.odd_values import KEYS, TIMES, deep, odd_value

_FEW = 40
_MANY = 20_000
_TYPES = (*StateType, *[StateType.SCHEDULED] * 4, *[StateType.RUNNING] * 6, StateType.FAILED)
_NAMES = (None, "", "Late", "AwaitingRetry", "Retrying", "Cached", "Mine")
_TAGS = ("db", "gpu", "net")
_SOUND_TIMES = (*TIMES[:3], "2099-01-01T00:00:00Z")


def run_id(chance: Random, kind: str = "task") -> str:
    """One of a few ids or one of many, mostly of a run that is of this kind."""
    number = chance.randrange(_FEW if chance.random() < 0.5 else _MANY)
    named = kind if chance.random() < 0.95 else chance.choice(("task", "flow"))
    return str(uuid5(NAMESPACE_OID, f"{named} {number}"))


def sound_body(chance: Random) -> dict[str, Any]:
    """A request that can be read; the runs that it names may be of another kind, or each other."""
    kind = chance.choice(("task", "task", "flow"))
    body: dict[str, Any] = {"run": {"kind": kind, "id": run_id(chance, kind)}}
    body["state"] = None if chance.random() < 0.05 else _state(chance)
    if chance.random() < 0.8:
        body["create"] = _flow(chance) if kind == "flow" else _task(chance)
    optional: dict[str, Callable[[], Any]] = {
        "force": lambda: chance.random() < 0.5,
        "parameters": lambda: chance.choice(({}, {"api-version": "0.8.2"}, {"a": [1.5, {}]})),
        "client_version": lambda: chance.choice((None, "2.0")),
        "expected_state_id": lambda: chance.choice((None, run_id(chance))),
        "on_delay": lambda: chance.choice(("retry", "return")),
        "deadline": lambda: chance.choice((None, "2026-01-01T00:01:00Z", "2099-01-01T00:00:00Z")),
    }
    for key, value in optional.items():
        if chance.random() < 0.15:
            body[key] = value()
    return body


def _state(chance: Random) -> dict[str, Any]:
    state: dict[str, Any] = {"type": chance.choice(_TYPES).value}
    if chance.random() < 0.3:
        state["name"] = chance.choice(_NAMES)
    if chance.random() < 0.3:
        state["timestamp"] = chance.choice((None, *_SOUND_TIMES))
    if chance.random() < 0.2:
        state["message"] = chance.choice((None, "", "done"))
    if chance.random() < 0.3:
        state["data"] = chance.choice(
            (None, 1, [1, 2.5], {"type": "unpersisted"}, {"a": {"b": []}})
        )
    if chance.random() < 0.4:
        state["state_details"] = _details(chance)
    return state


def _details(chance: Random) -> dict[str, Any]:
    details: dict[str, Any] = {
        "scheduled_time": chance.choice((None, *_SOUND_TIMES, "9998-12-31T23:59:59Z")),
        "cache_key": chance.choice((None, "a", "b")),
        "cache_expiration": chance.choice((None, "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z")),
        "flow_run_id": run_id(chance, "flow"),
        "task_run_id": run_id(chance),
        "child_flow_run_id": chance.choice((None, run_id(chance, "flow"))),
        "untrackable_result": chance.random() < 0.5,
    }
    return {key: value for key, value in details.items() if chance.random() < 0.4}


def _run(chance: Random) -> dict[str, Any]:
    return {
        "name": chance.choice((None, "extract")),
        "tags": chance.sample(_TAGS, chance.randrange(3)),
        "policy": chance.choice(
            ({}, {"retries": 2}, {"retries": 3, "retry_delay": chance.choice((0, 1.5, 1e300))})
        ),
    }


def _task(chance: Random) -> dict[str, Any]:
    extra = {"flow_run_id": run_id(chance, "flow"), "task_key": "etl.extract", "dynamic_key": "0"}
    return _some(chance, _run(chance) | extra)


def _flow(chance: Random) -> dict[str, Any]:
    extra = {"deployment_id": "nightly", "parent_task_run_id": run_id(chance)}
    return _some(chance, _run(chance) | extra)


def _some(chance: Random, created: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in created.items() if chance.random() < 0.5}


def mutated_body(chance: Random) -> bytes:
    """A body that was sound before something was done to it, or that still is."""
    node = to_node(sound_body(chance))
    for _ in range(chance.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 5))):
        _mutate_node(node, chance)
    raw = to_bytes(node, ascii_only=chance.random() < 0.5)
    for _ in range(chance.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 3))):
        raw = chance.choice(_BYTE_MUTATIONS)(raw, chance)
    return raw


def _mutate_node(node: Node, chance: Random) -> None:
    place = random_place(node, chance)
    if place is None:
        return
    holder, at = place
    what = chance.randrange(9)
    if what < 3:
        put(place, odd_value(chance))
    elif what == 3:
        remove(place)
    elif what == 4 and isinstance(holder, Object):
        again = chance.choice((holder.pairs[at][1], odd_value(chance)))
        holder.pairs.append((holder.pairs[at][0], again))
    elif what == 5 and isinstance(holder, Object):
        holder.pairs[at] = (chance.choice(KEYS), holder.pairs[at][1])
    elif what == 6 and isinstance(holder, Object):
        holder.pairs.insert(at, (chance.choice(KEYS), odd_value(chance)))
    elif what == 7:
        _swap(place, random_place(node, chance))
    else:
        put(place, chance.choice(([get(place)] * 3, Object([("a", get(place))]), deep(chance))))


def _swap(place: Any, other: Any) -> None:
    """Put a copy of another place's node here, so that no node ever holds itself."""
    put(place, Literal(to_bytes(get(other))))


def _flip(raw: bytes, chance: Random) -> bytes:
    changed = bytearray(raw or b"x")
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(raw: bytes, chance: Random) -> bytes:
    start, end = sorted((chance.randrange(len(raw) + 1), chance.randrange(len(raw) + 1)))
    return chance.choice((raw[:start], raw[start:], raw[:start] + raw[end:]))


def _insert(raw: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    odd = chance.choice((b"\0", b"\xff", b"\\", b'"', b",", b"}", b"[", b"\xef\xbb\xbf", b"1e9"))
    return raw[:at] + odd * chance.choice((1, 1, 9)) + raw[at:]


def _repeat(raw: bytes, chance: Random) -> bytes:
    start, end = sorted((chance.randrange(len(raw) + 1), chance.randrange(len(raw) + 1)))
    return raw[:end] + raw[start:end] * chance.choice((1, 2)) + raw[end:]


def _encode(raw: bytes, chance: Random) -> bytes:
    text = raw.decode(errors="replace")
    encoding = chance.choice(("utf-16", "utf-16-be", "utf-32", "utf-7", "utf-8-sig", "latin-1"))
    return text.encode(encoding, errors="replace")


def _surround(raw: bytes, chance: Random) -> bytes:
    around = chance.choice((b" ", b"\n" * 100, b"\0", codecs.BOM_UTF8, raw, b")]}',\n", b"\x1e"))
    return chance.choice((around + raw, raw + around))


def _swell(raw: bytes, chance: Random) -> bytes:
    return raw + b" " * chance.choice((1_000, 10_000, 260_000))


_BYTE_MUTATIONS = (_flip, _flip, _cut, _cut, _insert, _insert, _repeat, _encode, _surround, _swell)
