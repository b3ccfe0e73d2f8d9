"""How many transitions a consumer decides in a second, by the size of its batches.

The requests wait in the queues before the consumer starts; what is timed is from the first decision
announced to the last. Rates hold for this machine and this minute only: read the ratio.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psutil

from deploy.servers import postgresql, rabbitmq
from rules.identifiers import uuid7
from tests.integration.processes import consuming, pointsman
from tests.integration.world import Watcher, World, proposal, watching

STEPS = ("PENDING", "RUNNING", "COMPLETED")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Rate:
    """Transitions per second, and the consumer's CPU time for each in milliseconds."""

    batch_size: int
    per_second: float
    cpu_ms: float


@contextmanager
def fresh_world() -> Iterator[World]:
    """A broker and a PostgreSQL of the benchmark's own; the latter writes through to the disk."""
    with rabbitmq() as broker, postgresql() as database:
        yield World(broker.create_vhost("bench"), database.create_database("bench"))


async def prepare(world: World) -> None:
    """Make tables and queues."""
    for command in (("db", "upgrade"), ("topology", "declare")):
        ended = await pointsman(*command, **world.settings)
        if ended.code != 0:
            raise RuntimeError(ended.err)


async def measure(world: World, batch_size: int, runs: int) -> Rate:
    """Three transitions for each of so many new runs, governed by one consumer."""
    rest = runs * len(STEPS) - 1
    async with watching(world.amqp_url) as watcher:
        await _publish(watcher, [uuid7() for _ in range(runs)])
        async with consuming(**world.settings, batch_size=batch_size) as consumer:
            process = psutil.Process(consumer.process.pid)
            await watcher.heard(1)
            started, busy = time.perf_counter(), _busy(process)
            await watcher.heard(rest)
            seconds, cpu = time.perf_counter() - started, _busy(process) - busy
    return Rate(batch_size, rest / seconds, cpu / rest * 1_000)


async def compare(small: int, large: int, *, runs: int, rounds: int) -> tuple[Rate, Rate]:
    """The median rates of two batch sizes, measured in turn."""
    with fresh_world() as world:
        await prepare(world)
        await measure(world, large, runs // 10)  # what is slow only the first time
        pairs = [
            (await measure(world, small, runs // 4), await measure(world, large, runs))
            for _ in range(rounds)
        ]
    return _median([pair[0] for pair in pairs]), _median([pair[1] for pair in pairs])


async def _publish(watcher: Watcher, runs: list[UUID]) -> None:
    messages = [
        watcher.request(proposal(step, run, create={}), str(uuid7()), reply_to=None)
        for step in STEPS
        for run in runs
    ]
    for start in range(0, len(messages), _CHUNK):
        await watcher.send_all(messages[start : start + _CHUNK])


def _busy(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate.per_second)[len(rates) // 2]


def main(runs: int = 2_000, rounds: int = 3) -> None:
    """Print the rates and their ratio."""
    small, large = asyncio.run(compare(1, 200, runs=runs, rounds=rounds))
    for rate in (small, large):
        print(  # noqa: T201 - a benchmark's result
            f"batches of {rate.batch_size:>3}: {rate.per_second:6.0f} transitions/s,"
            f" {rate.cpu_ms:.2f} ms of the consumer's CPU each"
        )
    print(f"ratio: {large.per_second / small.per_second:.1f}")  # noqa: T201 - likewise
