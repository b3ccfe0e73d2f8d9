"""How a program in Prefect's environment is told what to do: by lines of JSON, and answers so.

An order names how many new runs there are to be, and how many clients. The program makes the runs
and says so, for that is not measured; at the next line it takes them through their states.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.prefect.inside.clients import RunT, take_through


async def carry_out(
    prepare: Callable[[int], Awaitable[Sequence[RunT]]],
    propose: Callable[[RunT, str], Awaitable[None]],
) -> None:
    """Carry out orders from standard input until that ends."""
    while line := await _next_line():
        order = json.loads(line)
        runs = await prepare(order["runs"])
        _say({"prepared": len(runs)})
        await _next_line()
        began = time.perf_counter()
        latencies = await take_through(runs, order["clients"], propose)
        _say({"seconds": time.perf_counter() - began, "latencies": latencies})


async def _next_line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
