"""Prefect's server, here a stand-in, is there when the block begins, and gone when it ends."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from benchmarks.prefect import server
from benchmarks.prefect.errors import ServerDidNotStartError
from benchmarks.prefect.server import serving
from deploy.servers.watch import Watch

_URL = "postgresql+asyncpg://me@127.0.0.1:1/prefect"
_LISTENS = """
import socket, sys, time
port = int(sys.argv[sys.argv.index("--port") + 1])
with socket.create_server(("127.0.0.1", port)):
    time.sleep(600)
"""
_FAILS = """
import sys
sys.exit("no such database")
"""


@pytest.fixture
def watch() -> Iterator[Watch]:
    """It ends the stand-in where the test is killed."""
    with Watch() as watch:
        yield watch


async def test_it_listens_for_as_long_as_the_block_lasts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, watch: Watch
) -> None:
    monkeypatch.setattr(server, "COMMAND", _command(tmp_path, _LISTENS))
    async with serving(watch, tmp_path, _URL) as running:
        api = urlsplit(running.api)
        _, writer = await asyncio.open_connection(api.hostname, api.port)
        writer.close()

    assert api.path == "/api"
    assert not psutil.pid_exists(running.pid)


async def test_one_that_ends_at_once_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, watch: Watch
) -> None:
    monkeypatch.setattr(server, "COMMAND", _command(tmp_path, _FAILS))

    with pytest.raises(ServerDidNotStartError, match="no such database"):
        async with serving(watch, tmp_path, _URL):
            pass


def _command(folder: Path, program: str) -> Path:
    """A command that runs the program."""
    command = folder / "prefect"
    command.write_text(f"#!{sys.executable}\n{program}")
    command.chmod(0o700)
    return command
