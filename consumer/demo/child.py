"""The demo's own consumer: a process that is watched, and that does not outlive the demo."""

import asyncio
import ctypes
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from tempfile import TemporaryFile
from typing import BinaryIO, NoReturn

from consumer.demo.errors import ConsumerFailedError

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.05
_START_SECONDS = 30.0
_LAST_LINES = 10


class ConsumerProcess:
    """``pointsman consume`` as a child; its log goes to a file without a name."""

    def __init__(self, process: Process, log: BinaryIO) -> None:
        self._process = process
        self._log = log

    async def serves(self) -> None:
        """Wait until it takes requests.

        Raises:
            ConsumerFailedError: it ended instead, or the time limit is over.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                while not self._has_told("consuming"):
                    if self._process.returncode is not None:
                        await self.dies()
                    await asyncio.sleep(_LOOK_SECONDS)
                return
        raise self._failure(f"does not serve after {_START_SECONDS:g} s")

    async def dies(self) -> NoReturn:
        """Wait for its end, which is an error for as long as nobody has asked for it.

        Raises:
            ConsumerFailedError: it has ended.
        """
        code = await self._process.wait()
        raise self._failure(f"ended with exit code {code}")

    async def stop(self, seconds: float) -> None:
        """Ask it to end and wait, so many seconds until it is killed.

        Raises:
            ConsumerFailedError: it did not end in time, or not with exit code 0.
        """
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                code = await self._process.wait()
        except TimeoutError:
            raise self._failure(f"did not end within {seconds:g} s of SIGTERM") from None
        if code != 0:
            raise self._failure(f"ended with exit code {code}")

    async def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _has_told(self, event: str) -> bool:
        return any(_event(line) == event for line in self._told())

    def _failure(self, what: str) -> ConsumerFailedError:
        return ConsumerFailedError(f"the demo's consumer {what}", self._told()[-_LAST_LINES:])

    def _told(self) -> list[str]:
        """The lines of the log, read without moving the place where the consumer writes on."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace").splitlines()


@asynccontextmanager
async def consumer_process(
    environment: Mapping[str, str], stop_seconds: float
) -> AsyncIterator[ConsumerProcess]:
    """Run the consumer for as long as the block lasts; it is asked to stop at the end."""
    with TemporaryFile() as log:
        consumer = ConsumerProcess(await _start(environment, log), log)
        try:
            yield consumer
        except BaseException:
            with suppress(ConsumerFailedError):
                await consumer.stop(stop_seconds)
            raise
        else:
            await consumer.stop(stop_seconds)
        finally:
            await consumer.kill()


async def _start(environment: Mapping[str, str], log: BinaryIO) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "consumer",
        "consume",
        env=environment,
        stdin=DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # a Ctrl-C is for the demo, which asks the consumer to end
        preexec_fn=_die_with_parent(),
    )


def _die_with_parent() -> Callable[[], None] | None:
    """What lets Linux end the child when the demo is killed; elsewhere there is no such thing."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


def _event(line: str) -> object:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told.get("event") if isinstance(told, dict) else None
