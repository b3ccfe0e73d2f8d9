"""Pointsman's commands as processes, as an operator runs them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import from_json

from tests.integration.forked import Forked, fork

WAIT_SECONDS = 60.0


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def environment(**settings: object) -> dict[str, str]:
    """This process's environment with just these settings of Pointsman's.

    Nothing is served over HTTP but by consumers that are given a port of their own.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    given = {f"POINTSMAN_{name.upper()}": str(value) for name, value in settings.items()}
    return kept | {"POINTSMAN_LOG_FORMAT": "json", "POINTSMAN_HTTP_PORT": "0"} | given


async def pointsman(*arguments: str, **settings: object) -> Ended:
    """Run a command to its end."""
    process = await fork(arguments, environment(**settings))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            out, err = await process.communicate()
    finally:
        await process.end()
    return Ended(process.returncode or 0, out.decode(), err.decode())


@dataclass(slots=True)
class RunningConsumer:
    """A ``pointsman consume`` with its log, event by event, and all that it wrote there."""

    process: Forked
    events: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    _read: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read_log(self) -> None:
        """Collect events until the process ends."""
        stream = self.process.stderr
        assert stream is not None
        async for line in stream:
            self.lines.append(line.decode())
            with suppress(ValueError):
                self.events.append(from_json(line))
            async with self._changed:
                self._changed.notify_all()
        await self.process.wait()
        async with self._changed:
            self._read = True
            self._changed.notify_all()

    async def event(self, name: str, count: int = 1) -> dict[str, Any]:
        """Wait for the ``count``-th event of that name."""
        async with asyncio.timeout(WAIT_SECONDS), self._changed:
            while len(found := self.told(name)) < count:
                assert not self._read, self.events[-3:]
                await self._changed.wait()
        return found[count - 1]

    def told(self, name: str) -> list[dict[str, Any]]:
        """The events of that name so far."""
        return [event for event in self.events if event.get("event") == name]

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end and tell the exit code."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def consuming(**settings: object) -> AsyncIterator[RunningConsumer]:
    """A consumer that serves; killed at the end where it still runs."""
    consumer = RunningConsumer(await fork(("consume",), environment(**settings)))
    reading = asyncio.create_task(consumer.read_log())
    try:
        await consumer.event("consuming")
        yield consumer
    finally:
        consumer.send(signal.SIGKILL)
        await consumer.ended()
        await reading
