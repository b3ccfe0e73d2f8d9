"""Prefect's HTTP server, as a process."""

import asyncio
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.prefect.environment import COMMAND, environment
from benchmarks.prefect.errors import ServerDidNotStartError
from deploy.servers.ports import LOOPBACK, free_ports
from deploy.servers.process_tree import kill_tree
from deploy.servers.watch import Watch

_SECONDS_TO_START = 120
_SECONDS_BETWEEN_TRIES = 0.1
_LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A server that answers: the URL of its API, and its process."""

    api: str
    pid: int


@asynccontextmanager
async def serving(watch: Watch, home: Path, database_url: str) -> AsyncIterator[PrefectServer]:
    """A server of one process, for as long as the block lasts.

    It is spared what does not answer requests: the services in the background, and the pages for
    people. More processes than one it refuses without a Redis.
    """
    [port] = free_ports(1)
    log = home / "server.log"
    options = ("--host", LOOPBACK, "--port", str(port), "--no-services", "--no-ui")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            *("server", "start", *options),
            cwd=home,
            env=environment(home, database_url),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )
    watch.process(process.pid)
    try:
        await _until_it_listens(process, port, log)
        yield PrefectServer(f"http://{LOOPBACK}:{port}/api", process.pid)
    finally:
        if process.returncode is None:
            kill_tree(psutil.Process(process.pid))
        await process.wait()


async def _until_it_listens(process: Process, port: int, log: Path) -> None:
    """It listens when all else that it does at its start is done."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            if process.returncode is not None or time.monotonic() > deadline:
                raise ServerDidNotStartError(_last_lines(log)) from None
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            writer.close()
            return


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:])
