"""Consumers as processes that a supervisor starts again whenever they end."""

import asyncio
import math
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from deploy.servers.watch import Watch
from tests.chaos import policy
from tests.integration.processes import environment

_SECONDS_BETWEEN_STARTS = 0.5
_STOP_SECONDS = 60.0
_LOG_LINES = 15
_CONSUMING = b'"consuming"'
_TRACEBACK = b"Traceback"
_WATCHDOG = (b"Timeout (", b'"stuck"')
_BLOCKING = policy.__name__.replace(".", "/").encode()
_BEFORE_SERVING = frozenset({0, 1, -signal.SIGTERM, -signal.SIGKILL})


@dataclass(frozen=True, slots=True)
class Crash:
    """A consumer that did what none should, and what its log says of it."""

    consumer: str
    code: int
    log: str

    def __str__(self) -> str:
        return f"{self.consumer} ended with {self.code}, as it should not: {self.log}"


class Post:
    """A place in the fleet, where one process at a time is at work."""

    def __init__(self, number: int, settings: Mapping[str, object], folder: Path) -> None:
        self.starts = 0
        self.retired = False
        self.crashes: list[Crash] = []
        self._number = number
        self._settings = settings
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._told_to_stop = False
        self._frozen = False
        self._since = math.inf

    @property
    def since(self) -> float:
        """When the process was started that is there, in seconds on the monotonic clock."""
        return self._since if self._process is not None else math.inf

    @property
    def name(self) -> str:
        """What the process that was started last, and its log, are called."""
        return f"consumer-{self._number}-{self.starts}"

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, if it is there."""
        self._frozen |= number == signal.SIGSTOP
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def stop(self) -> None:
        """Tell the process to stop; it has a minute for it."""
        if self._process is not None and not self._told_to_stop:
            self._told_to_stop = True
            self.send(signal.SIGTERM)
            loop = asyncio.get_running_loop()
            loop.call_later(_STOP_SECONDS, self._give_up, self._process)

    def retire(self) -> None:
        """Tell the process to stop, and fill the post no more."""
        self.retired = True
        self.stop()

    async def fill(self, watch: Watch) -> None:
        """Start a process, and come back when it has ended."""
        self.starts += 1
        log = self._folder / f"{self.name}.log"
        self._told_to_stop = self._frozen = False
        self._process = await _start(self._settings, log)
        self._since = time.monotonic()
        watch.process(self._process.pid)
        if self.retired:
            self.stop()
        code = await self._process.wait()
        self._process = None
        self.judge(code, log.read_bytes())

    def _give_up(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            self.crashes.append(Crash(self.name, 0, f"it did not stop within {_STOP_SECONDS:g} s"))
            process.kill()

    def judge(self, code: int, log: bytes) -> None:
        """Find fault with an end that nothing explains, and with a log that is not one of events.

        A consumer that can't start for want of a server says so in a line, and ends. One that was
        made to stand still may be ended by its own watchdog.
        """
        lines = log.splitlines()
        if _CONSUMING not in log and code in _BEFORE_SERVING and _TRACEBACK not in log:
            return
        stood_still = self._frozen or _BLOCKING in log
        if code == 1 and stood_still and any(ending in log for ending in _WATCHDOG):
            return
        odd = [number for number, line in enumerate(lines) if not line.startswith(b"{")]
        explained = code == -signal.SIGKILL or (code == 0 and self._told_to_stop)
        if odd or not explained:
            start = odd[0] if odd else -_LOG_LINES
            told = b"\n".join(lines[start:][:_LOG_LINES]).decode(errors="replace")
            self.crashes.append(Crash(self.name, code, told))


class Fleet:
    """Consumers that share the work; ``all_settings`` has those of each."""

    def __init__(
        self, all_settings: Sequence[Mapping[str, object]], folder: Path, watch: Watch
    ) -> None:
        self.posts = [
            Post(number, settings, folder) for number, settings in enumerate(all_settings)
        ]
        self._watch = watch

    @property
    def crashes(self) -> list[Crash]:
        """Ends that should not have been."""
        return [crash for post in self.posts for crash in post.crashes]

    @property
    def starts(self) -> int:
        """How many processes were started."""
        return sum(post.starts for post in self.posts)

    def one(self, rng: Random) -> Post:
        """One of the consumers, more often the oldest: the broker lets it have all the work."""
        oldest = min(self.posts, key=lambda post: post.since)
        return rng.choice((oldest, rng.choice(self.posts)))

    async def run(self) -> None:
        """Keep all posts filled until ``stop`` was called and all processes have ended."""
        await asyncio.gather(*(self._keep(post) for post in self.posts))

    def stop(self) -> None:
        """Tell all consumers to stop, and start none again."""
        for post in self.posts:
            post.retire()

    async def _keep(self, post: Post) -> None:
        while not post.retired:
            await post.fill(self._watch)
            if not post.retired:
                await asyncio.sleep(_SECONDS_BETWEEN_STARTS)


async def _start(settings: Mapping[str, object], log: Path) -> asyncio.subprocess.Process:
    with log.open("wb") as out:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "consumer",
            "consume",
            env=environment(**settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is for the trial, which then stops them in order
        )
