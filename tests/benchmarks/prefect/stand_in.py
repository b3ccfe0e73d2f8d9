"""A program that takes orders as those in Prefect's environment do, and accepts everything.

``python -m tests.benchmarks.prefect.stand_in [STEP]``: at this step it gives up.
"""

import asyncio
import sys
from collections.abc import Sequence

from benchmarks.prefect.inside.orders import carry_out


async def _prepare(count: int) -> Sequence[int]:
    return range(count)


async def _propose(_run: int, step: str) -> None:
    if step in sys.argv[1:]:
        sys.exit(3)


if __name__ == "__main__":
    asyncio.run(carry_out(_prepare, _propose))
