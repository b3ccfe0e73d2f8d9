"""Servers end with their starter, whatever ends it."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deploy.servers import find_postgresql, find_rabbitmq

_ROOT = Path(__file__).parents[3]
_SECONDS_TO_END = 60

_STARTER = """
import json, signal, sys
from deploy.servers import postgresql, rabbitmq

# Ignored where a shell runs the tests in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
start = {"rabbitmq": rabbitmq, "postgresql": postgresql}[sys.argv[1]]
with start() as server:
    folder = str(getattr(server.machine, "folder", ""))
    print(json.dumps({"host": server.host, "port": server.port, "folder": folder}), flush=True)
    signal.pause()
"""


@dataclass(frozen=True)
class _Started:
    starter: subprocess.Popen[str]
    host: str
    port: int
    folder: str

    def is_served(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex((self.host, self.port)) == 0


@contextmanager
def _started(kind: str) -> Iterator[_Started]:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER, kind], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield _Started(process, **json.loads(process.stdout.readline()))
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("rabbitmq", signal.SIGKILL),
        ("postgresql", signal.SIGKILL),
        ("postgresql", signal.SIGTERM),
        ("postgresql", signal.SIGINT),
    ],
)
def test_nothing_is_left_of_a_server_whose_starter_was_ended_by(
    kind: str, number: signal.Signals
) -> None:
    find_rabbitmq() if kind == "rabbitmq" else find_postgresql()
    with _started(kind) as started:
        processes = psutil.Process(started.starter.pid).children(recursive=True)
        assert processes
        assert started.is_served()

        started.starter.send_signal(number)
        started.starter.wait()

        _, alive = psutil.wait_procs(processes, timeout=_SECONDS_TO_END)
        assert alive == []
        assert not started.is_served()
        assert not started.folder or not Path(started.folder).exists()
