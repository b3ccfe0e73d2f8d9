"""A consumer's process as the kernel sees it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.soak.gauges import (
    CPU_SECONDS,
    HANDLES,
    PLAIN_HANDLES,
    RSS,
    THREADS,
    USS,
    Readings,
    of_consumer,
)

_PASSING = ("socket:", "/proc/")
"""Sockets are counted elsewhere; a consumer that is asked for its metrics looks itself up there."""


@dataclass(frozen=True, slots=True)
class ProcessGauge:
    """Reads one consumer."""

    number: int
    process: psutil.Process

    async def read(self) -> Readings:
        """Memory in bytes, file handles, threads and CPU time; nothing where it has ended."""
        try:
            found = await asyncio.to_thread(self._read)
        except (psutil.Error, OSError):
            return {}
        return {of_consumer(column, self.number): value for column, value in found.items()}

    def _read(self) -> Readings:
        with self.process.oneshot():
            memory = self.process.memory_full_info()
            times = self.process.cpu_times()
            handles = _handles(self.process.pid)
            return {
                USS: memory.uss,
                RSS: memory.rss,
                HANDLES: len(handles),
                PLAIN_HANDLES: sum(not handle.startswith(_PASSING) for handle in handles),
                THREADS: self.process.num_threads(),
                CPU_SECONDS: times.user + times.system,
            }


def _handles(pid: int) -> list[str]:
    """What the process's file descriptors stand for, as Linux tells it."""
    handles = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            handles.append(str(descriptor.readlink()))
    return handles
