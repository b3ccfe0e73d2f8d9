"""Ctrl-C: it ends a command at any moment without a traceback, exit code 130."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT


def end_at_once() -> None:
    """Let Ctrl-C end the process where it stands, as while modules are imported.

    An exception would come up wherever the import stands, in a library's callback perhaps, which
    prints it and goes on.
    """
    signal.signal(signal.SIGINT, _end)


def let_through() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, so that what is open is closed on the way out."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def put_back() -> Iterator[None]:
    """Afterwards Ctrl-C does what it did before."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)
