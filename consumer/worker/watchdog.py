"""Ending a process that does not go on.

A rule that blocks without awaiting can't be timed out by anything that needs the event loop, nor,
where it holds the interpreter's lock, by a thread of Python's. The standard library's
``faulthandler`` has a thread that needs neither: it prints where every thread stands and ends the
process. Nor can a rule be timed out that catches its own cancellation and goes on; the event loop
is of use then, but only to end the process as well. What the process had not acknowledged comes
again, and the message that ends it each time is condemned by the count of how often it was begun.
"""

import asyncio
import faulthandler
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog

log = structlog.get_logger(__name__)

STALL_SECONDS = 10.0
"""For how long what should have ended may go on before the process is ended for it."""

_FEEDINGS = 4


@asynccontextmanager
async def watchdog(seconds: float) -> AsyncIterator[None]:
    """While the block lasts, end the process if its event loop stands still for so long.

    It then ends at once, exit code 1, with a traceback of each thread on standard error.
    """
    feeding = asyncio.create_task(_feed(seconds))
    try:
        yield
    finally:
        feeding.cancel()
        faulthandler.cancel_dump_traceback_later()


async def _feed(seconds: float) -> None:
    while True:
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr)
        await asyncio.sleep(min(1.0, seconds / _FEEDINGS))


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer than it may, and ``STALL_SECONDS`` more.

    The block is timed out or cancelled by others. The process then ends at once, exit code 1, and
    the log says where each task stands.
    """
    loop = asyncio.get_running_loop()
    ending = loop.call_later(seconds + STALL_SECONDS, _end, seconds)
    try:
        yield
    finally:
        ending.cancel()


def _end(seconds: float) -> None:
    log.error("stuck", seconds=seconds, stacks=[_stack(task) for task in asyncio.all_tasks()])
    sys.stderr.flush()
    os._exit(1)


def _stack(task: "asyncio.Task[object]") -> list[str]:
    """Where each coroutine waits that the task is in; the innermost comes last."""
    places: list[str] = []
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        code = frame.f_code
        places.append(f"{code.co_filename}:{frame.f_lineno} in {code.co_qualname}")
        coroutine = coroutine.cr_await
    return places
