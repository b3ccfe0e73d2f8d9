"""How fast a consumer decides what waits for it.

The requests wait in the queues before the consumer starts; what is timed is from the first decision
announced to the last. Rates hold for this machine and this minute only: read ratios.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.gauge import gauged
from benchmarks.world import own_servers
from rules.identifiers import uuid7
from tests.integration.processes import consuming
from tests.integration.world import Watcher, World, watching

ACCEPTED = frozenset({"accept"})
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """Decisions/s, the consumer's CPU time for each in milliseconds, and its memory at most."""

    per_second: float
    cpu_ms: float
    megabytes: float


@contextmanager
def fresh_world() -> Iterator[World]:
    """A broker and a PostgreSQL of the benchmark's own; the latter writes through to the disk."""
    with own_servers() as servers:
        place = servers.world("bench")
        yield World(place.amqp_url, place.database_url)


async def pace(
    world: World,
    bodies: Sequence[Mapping[str, Any]],
    decisions: Collection[str] = ACCEPTED,
    make_id: Callable[[], UUID] = uuid7,
    **settings: object,
) -> Pace:
    """How fast one consumer decides these requests, in this order; ``make_id`` makes their ids.

    Raises:
        RuntimeError: a decision was another than these.
    """
    rest = len(bodies) - 1
    async with watching(world.amqp_url) as watcher:
        await _publish(watcher, bodies, make_id)
        async with consuming(**world.settings, **settings) as consumer:
            heard = await watcher.heard(1)
            async with gauged(consumer.process.pid) as usage:
                started = time.perf_counter()
                heard += await watcher.heard(rest)
                seconds = time.perf_counter() - started
            consumer.send(signal.SIGTERM)  # it acknowledges all: nothing comes to the next one
            await consumer.ended()
    decided = Counter(delivery.routing_key.split(".")[1] for delivery in heard)
    if not decided.keys() <= set(decisions):
        raise RuntimeError(f"decisions were {dict(decided)}")
    return Pace(rest / seconds, usage.cpu_seconds / rest * 1_000, usage.peak_bytes / 1e6)


def middle(paces: Iterable[Pace]) -> Pace:
    """The one with the median rate."""
    in_order = sorted(paces, key=lambda each: each.per_second)
    return in_order[len(in_order) // 2]


async def _publish(
    watcher: Watcher, bodies: Sequence[Mapping[str, Any]], make_id: Callable[[], UUID]
) -> None:
    for start in range(0, len(bodies), _CHUNK):
        chunk = bodies[start : start + _CHUNK]
        await watcher.send_all(
            [watcher.request(body, str(make_id()), reply_to=None) for body in chunk]
        )
