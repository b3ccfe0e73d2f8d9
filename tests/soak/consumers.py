"""The processes that are measured: ``pointsman consume`` from the beginning to the end."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.servers.ports import free_ports
from deploy.servers.watch import Watch
from tests.integration.processes import environment

_ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ConsumerProcess:
    """A consumer that serves its metrics at a port of its own."""

    number: int
    process: subprocess.Popen[bytes]
    http_port: int

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has, which it should not have."""
        return self.process.poll() is not None

    def freeze(self) -> None:
        """Stop it with SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> int | None:
        """Send SIGTERM and tell the exit code; None where it had ended before."""
        if self.has_ended:
            return None
        self.process.terminate()
        return await asyncio.to_thread(self.process.wait, _STOP_SECONDS)


@contextmanager
def consumers(
    count: int, settings: Mapping[str, object], folder: Path
) -> Iterator[list[ConsumerProcess]]:
    """So many consumers, started; killed at the end where they still run."""
    with ExitStack() as stack:
        watch = stack.enter_context(Watch())
        started = [
            stack.enter_context(_consumer(number, settings, folder))
            for number in range(1, count + 1)
        ]
        for consumer in started:
            watch.process(consumer.pid)
        yield started


@contextmanager
def _consumer(
    number: int, settings: Mapping[str, object], folder: Path
) -> Iterator[ConsumerProcess]:
    (http_port,) = free_ports(1)
    with (
        (folder / f"consumer-{number}.log").open("wb") as log,
        # A session of its own, so that Ctrl-C does not reach it.
        subprocess.Popen(
            [sys.executable, "-m", "consumer", "consume"],
            cwd=_ROOT,
            env=environment(**settings, http_port=http_port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield ConsumerProcess(number, process, http_port)
        finally:
            process.kill()
