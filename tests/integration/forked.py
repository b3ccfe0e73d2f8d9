"""Processes forked from one that has imported all that commands do.

They go on as a new one would, most of a second of CPU time sooner. They end a little sooner too:
modules are not taken down. How commands start and end from nothing is seen where a shell runs them
(the runbook), in the demo, in the chaos suite, in ``decisions tail`` and in the replays.
"""

import asyncio
import gc
import os
import sys
from asyncio.transports import ReadTransport
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from signal import SIG_DFL, SIGINT, SIGKILL, signal
from typing import IO

from consumer.commands import main

_FORKING = get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        *(f"consumer.commands.{name}" for name in ("group", "check", "consume", "db")),
        *(f"consumer.commands.{name}" for name in ("dead_letters", "decisions", "limits")),
        *(f"consumer.commands.{name}" for name in ("propose", "runs", "topology")),
        "sqlalchemy.dialects.postgresql.asyncpg",
        "sqlalchemy.dialects.sqlite.aiosqlite",
        "tests.integration.kill_points.launcher",
        "uvloop",
    ]
)


@dataclass(slots=True)
class Forked:
    """A process as ``asyncio.subprocess`` has them, with its output where it was piped."""

    process: ForkServerProcess
    stdout: asyncio.StreamReader | None = None
    stderr: asyncio.StreamReader | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _pipes: list[ReadTransport] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative where a signal ended it, None while it runs."""
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal.

        Raises:
            ProcessLookupError: it has ended.
        """
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(SIGKILL)

    async def wait(self) -> int:
        """Wait for its end, and tell the exit code."""
        await self._over.wait()
        code = self.returncode
        assert code is not None
        return code

    async def communicate(self) -> tuple[bytes, bytes]:
        """All that it has written to its standard output and error, when it has ended."""
        assert self.stdout is not None
        assert self.stderr is not None
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err

    async def end(self) -> None:
        """Kill it where it still runs, and read no more of what it wrote."""
        with suppress(ProcessLookupError):
            self.kill()
        await self.wait()
        for pipe in self._pipes:
            pipe.close()

    async def read(self, end: Connection) -> asyncio.StreamReader:
        """What comes out of a pipe from it."""
        reader = asyncio.StreamReader()
        file = os.fdopen(os.dup(end.fileno()), "rb", buffering=0)
        end.close()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
        self._pipes.append(pipe)
        return reader

    def watch(self) -> None:
        """Let ``wait`` know of the end."""
        loop, sentinel = asyncio.get_running_loop(), self.process.sentinel

        def note() -> None:
            loop.remove_reader(sentinel)
            self._over.set()

        loop.add_reader(sentinel, note)


def get_ready() -> None:
    """Let all be imported while servers start, so that no test waits for it."""
    forkserver.ensure_running()


async def fork(arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
    """A ``pointsman`` command with these arguments, in that environment; its output is piped."""
    reading, writing = zip(*(_FORKING.Pipe(duplex=False) for _ in range(2)), strict=True)
    forked = _start(_command, tuple(arguments), environment, *writing)
    for end in writing:
        end.close()
    forked.stdout, forked.stderr = [await forked.read(end) for end in reading]
    return forked


async def fork_into(
    log: IO[bytes], environment: Mapping[str, str], work: Callable[..., None], *arguments: object
) -> Forked:
    """The same for any function of a module, with all its output in a file."""
    output = Connection(os.dup(log.fileno()), readable=False)
    forked = _start(work, arguments, environment, output, output)
    output.close()
    return forked


def _start(
    work: Callable[..., None],
    arguments: Sequence[object],
    environment: Mapping[str, str],
    out: Connection,
    err: Connection,
) -> Forked:
    process = _FORKING.Process(
        target=_become, args=(dict(environment), out, err, work, arguments), daemon=True
    )
    process.start()
    forked = Forked(process)
    forked.watch()
    return forked


def _become(
    environment: Mapping[str, str],
    out: Connection,
    err: Connection,
    work: Callable[..., None],
    arguments: Sequence[object],
) -> None:
    """In the new process: be what a new interpreter would be that is to do this work."""
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(out.fileno(), sys.stdout.fileno())
    os.dup2(err.fileno(), sys.stderr.fileno())
    try:
        work(*arguments)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  multiprocessing tells it in its own way
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            signal(SIGINT, SIG_DFL)
            os.kill(os.getpid(), SIGINT)
        sys.exit(1)
    finally:
        gc.collect()  # what was left open says so


def _command(*arguments: str) -> None:
    sys.argv = ["pointsman", *arguments]
    main()
