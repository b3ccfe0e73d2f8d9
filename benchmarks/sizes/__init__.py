"""Whether a consumer is as fast in long tables as in empty ones, and how fast on one hot row.

The databases are on one server and are measured in turn, since a machine is not always as fast.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

from benchmarks.sizes.measuring import Measured, measure
from benchmarks.sizes.plan import FULL, Plan
from benchmarks.sizes.report import HEADER, line, save
from benchmarks.sizes.stage import Stage
from deploy.servers import postgresql, rabbitmq

OUT = Path(__file__).parents[2] / "build" / "bench" / "sizes.json"


async def report(measuring: AsyncIterator[Measured], plan: Plan, out: Path) -> None:
    """Print what is measured, line by line, and keep it as JSON."""
    found: list[Measured] = []
    print(HEADER, flush=True)  # noqa: T201 - a benchmark's result
    async for measured in measuring:
        found.append(measured)
        print(line(measured), flush=True)  # noqa: T201 - likewise
    save(out, plan, found)


def main(plan: Plan = FULL, out: Path = OUT) -> None:
    """Measure on servers of the benchmark's own; the database writes through to the disk."""
    numbers = count()
    with rabbitmq() as broker, postgresql() as database:
        stage = Stage(
            broker.create_vhost("sizes"),
            lambda: database.create_database(f"sizes_{next(numbers)}"),
        )
        asyncio.run(report(measure(stage, plan), plan, out))
