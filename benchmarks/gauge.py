"""What a process and its descendants take while something is measured."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import psutil

_SAMPLE_SECONDS = 0.02


@dataclass(slots=True)
class Usage:
    """Seconds on processors, and the most memory that was seen in use at a time (resident)."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@asynccontextmanager
async def gauged(pid: int) -> AsyncIterator[Usage]:
    """What is taken while the block lasts; told when it has ended without an error.

    Memory is that of the processes that are there at the start, for looking for others takes long.
    """
    root, usage = psutil.Process(pid), Usage()
    before = _cpu_seconds(root)
    processes = _tree(root)
    sampling = asyncio.create_task(_sample(processes, usage))
    try:
        yield usage
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
    _look(processes, usage)
    usage.cpu_seconds = _cpu_seconds(root) - before


async def _sample(processes: Sequence[psutil.Process], usage: Usage) -> None:
    while True:
        _look(processes, usage)
        await asyncio.sleep(_SAMPLE_SECONDS)


def _look(processes: Sequence[psutil.Process], usage: Usage) -> None:
    used = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            used += process.memory_info().rss
    usage.peak_bytes = max(usage.peak_bytes, used)


def _cpu_seconds(root: psutil.Process) -> float:
    """Of all that live, and of their children that have ended."""
    seconds = 0.0
    for process in _tree(root):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:4])
    return seconds


def _tree(root: psutil.Process) -> Sequence[psutil.Process]:
    return [root, *root.children(recursive=True)]
