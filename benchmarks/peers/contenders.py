"""Who is compared, each a process that is given a place to work in."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.world import Place, Servers, prepare
from tests.integration.processes import environment


@dataclass(frozen=True, slots=True)
class Contender:
    """A consumer: its name in results, what it is, and ``python -m`` what."""

    name: str
    title: str
    module: Sequence[str]
    on_sqlite: bool = False

    async def place(self, servers: Servers, folder: Path) -> Place:
        """A place of its own, with tables and queues, the latter the same for all."""
        file = f"sqlite+aiosqlite:///{folder}/{self.name}.db" if self.on_sqlite else None
        place = servers.world(self.name, file)
        await prepare(place)
        return place


CONTENDERS = (
    Contender("echo", "aio-pika echo", ("benchmarks.peers.echo",)),
    Contender("handwritten", "hand-written", ("benchmarks.peers.handwritten",)),
    Contender("pointsman", "Pointsman, PostgreSQL", ("consumer", "consume")),
    Contender("pointsman-sqlite", "Pointsman, SQLite", ("consumer", "consume"), on_sqlite=True),
)


@asynccontextmanager
async def at_work(contender: Contender, place: Place) -> AsyncIterator[Process]:
    """The contender's process, told to stop at the end, so that it acknowledges what it has done.

    It logs where we do.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *contender.module,
        env=environment(**place.settings, log_level="warning"),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
