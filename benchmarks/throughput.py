"""How many transitions a consumer decides in a second, by the size of its batches."""

import asyncio
from collections.abc import Mapping
from typing import Any

from benchmarks.pace import Pace, fresh_world, middle, pace
from benchmarks.world import prepare
from rules.identifiers import uuid7
from tests.integration.world import World, proposal

STEPS = ("PENDING", "RUNNING", "COMPLETED")


async def measure(
    world: World, batch_size: int, runs: int, *, create: Mapping[str, Any] | None = None
) -> Pace:
    """Three transitions for each of so many new runs, governed by one consumer.

    ``create`` is what the requests say of the runs that are to be made.
    """
    new = [uuid7() for _ in range(runs)]
    bodies = [proposal(step, run, create=create or {}) for step in STEPS for run in new]
    return await pace(world, bodies, batch_size=batch_size)


async def compare(small: int, large: int, *, runs: int, rounds: int) -> tuple[Pace, Pace]:
    """The median rates of two batch sizes, measured in turn."""
    with fresh_world() as world:
        await prepare(world)
        await measure(world, large, runs // 10)  # what is slow only the first time
        pairs = [
            (await measure(world, small, runs // 4), await measure(world, large, runs))
            for _ in range(rounds)
        ]
    return middle(pair[0] for pair in pairs), middle(pair[1] for pair in pairs)


def main(sizes: tuple[int, int] = (1, 200), runs: int = 2_000, rounds: int = 3) -> None:
    """Print the rates and their ratio."""
    small, large = asyncio.run(compare(*sizes, runs=runs, rounds=rounds))
    for size, found in zip(sizes, (small, large), strict=True):
        print(  # noqa: T201 - a benchmark's result
            f"batches of {size:>3}: {found.per_second:6.0f} transitions/s,"
            f" {found.cpu_ms:.2f} ms of the consumer's CPU each"
        )
    print(f"ratio: {large.per_second / small.per_second:.1f}")  # noqa: T201 - likewise
