"""How much memory and CPU time a consumer takes, by the size of the requests' bodies.

More requests wait than a consumer holds at a time, with data that is written, and announced again
with each decision. The memory is the most that was seen: the limits in ``deploy/`` are from here.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.gauge import gauged
from benchmarks.pace import fresh_world
from consumer.settings import Settings
from rules.identifiers import uuid7
from tests.integration.processes import consuming, pointsman
from tests.integration.world import Watcher, World, proposal, watching

SIZES = (100, 10_000, 100_000, 1_000_000)
_CHUNK_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Footprint:
    """What so many requests with so many bytes of data took, at most and each."""

    requests: int
    data_bytes: int
    megabytes: float
    cpu_ms: float


async def measure(
    world: World, settings: Mapping[str, str], data_bytes: int, requests: int
) -> Footprint:
    """A consumer's, from its start until it has decided them all."""
    async with watching(world.amqp_url) as watcher:
        await _publish(watcher, data_bytes, requests)
        async with consuming(**settings) as consumer, gauged(consumer.process.pid) as usage:
            await _hear(watcher, requests)
    cpu_ms = usage.cpu_seconds / max(requests, 1) * 1_000
    return Footprint(requests, data_bytes, usage.peak_bytes / 1e6, cpu_ms)


async def compare(
    sizes: Sequence[int], *, most_requests: int, most_bytes: int
) -> AsyncIterator[Footprint]:
    """An idle consumer first, then one for each size, all with the settings' defaults."""
    with fresh_world() as world:
        settings = world.settings | {"partitions": str(Settings.model_fields["partitions"].default)}
        for command in (("db", "upgrade"), ("topology", "declare")):
            ended = await pointsman(*command, **settings)
            if ended.code != 0:
                raise RuntimeError(ended.err)
        yield await measure(world, settings, 0, 0)
        for size in sizes:
            yield await measure(world, settings, size, min(most_requests, most_bytes // size))


async def _publish(watcher: Watcher, data_bytes: int, requests: int) -> None:
    chunk = max(1, _CHUNK_BYTES // max(data_bytes, 1_000))
    for start in range(0, requests, chunk):
        await watcher.send_all(
            [
                watcher.request(
                    proposal("COMPLETED", create={}, data="x" * data_bytes),
                    str(uuid7()),
                    reply_to=None,
                )
                for _ in range(min(chunk, requests - start))
            ]
        )


async def _hear(watcher: Watcher, count: int) -> None:
    for start in range(0, count, 100):
        await watcher.heard(min(100, count - start))


async def _print(most_requests: int, most_bytes: int) -> None:
    async for each in compare(SIZES, most_requests=most_requests, most_bytes=most_bytes):
        print(  # noqa: T201 - a benchmark's result
            f"{each.requests:>5} requests with {each.data_bytes:>9,} bytes of data:"
            f" {each.megabytes:5.0f} MB, {each.cpu_ms:.2f} ms of CPU each"
        )


def main(most_requests: int = 5_000, most_bytes: int = 1_200_000_000) -> None:
    """Print what each took."""
    asyncio.run(_print(most_requests, most_bytes))
