"""A program in Prefect's environment that carries out orders, from outside."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.gauge import Usage, gauged
from benchmarks.prefect.environment import ROOT
from benchmarks.prefect.errors import ProgramEndedError
from benchmarks.prefect.figures import Reading

_LONGEST_LINE = 2**22
"""In bytes: a line holds a latency for each transition."""


class Program:
    """A program that has been started, by the name of its module."""

    def __init__(self, name: str, process: Process) -> None:
        self._name = name
        self._process = process

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def measure(self, runs: int, clients: int, *, gauge: int | None = None) -> Reading:
        """Have so many new runs taken through their states by so many clients.

        What is gauged is the process with the number ``gauge``, by default the program itself.
        """
        await self._ask({"runs": runs, "clients": clients})
        async with gauged(gauge or self.pid) as usage:
            told = await self._ask({})
        return reading(told["latencies"], told["seconds"], usage)

    async def _ask(self, order: Mapping[str, int]) -> dict[str, Any]:
        """Say a line, and hear one."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("started without pipes")
        stdin.write(json.dumps(order).encode() + b"\n")
        line = await stdout.readline()
        if not line:
            raise ProgramEndedError(self._name, await self._process.wait())
        answer: dict[str, Any] = json.loads(line)
        return answer


def reading(latencies: Sequence[float], seconds: float, usage: Usage) -> Reading:
    """Of as many transitions as there are latencies, made in so many seconds."""
    count = len(latencies)
    return Reading(
        per_second=count / seconds,
        cpu_ms=usage.cpu_seconds / count * 1_000,
        peak_mb=usage.peak_bytes / 1e6,
        latencies=latencies,
    )


@asynccontextmanager
async def started(
    python: Path, module: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[Program]:
    """``python -m`` such a module with its arguments, for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        python,
        "-m",
        *module,
        cwd=ROOT,
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        yield Program(module[0], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
