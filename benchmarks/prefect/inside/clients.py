"""Clients that take runs through their states, each proposing one after the other."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

STEPS = ("PENDING", "RUNNING", "COMPLETED")
"""What every run goes through; all of it is accepted."""

RunT = TypeVar("RunT")


async def take_through(
    runs: Iterable[RunT], clients: int, propose: Callable[[RunT, str], Awaitable[None]]
) -> list[float]:
    """Take all runs through all steps; the seconds that each transition took.

    Each client takes the next run that nobody has taken. ``propose`` returns when the state has
    been accepted, and raises where it has not.
    """
    waiting = iter(runs)
    latencies: list[float] = []

    async def client() -> None:
        for run in waiting:
            for step in STEPS:
                began = time.perf_counter()
                await propose(run, step)
                latencies.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return latencies
