"""A process together with its descendants.

Descendants, not process groups: PostgreSQL's backends and Erlang's helpers have sessions of
their own.
"""

import contextlib
import signal
import time

import psutil

_SECONDS_TO_DIE = 20
_SECONDS_BETWEEN_LOOKS = 0.01


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def signal_tree(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal to the process and its descendants, the process first."""
    for member in _tree(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(number)


def kill_tree(process: psutil.Process) -> None:
    """Kill the process and its descendants, and wait until all are gone."""
    members = _tree(process)
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    deadline = time.monotonic() + _SECONDS_TO_DIE
    while any(map(_lives, members)) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _lives(process: psutil.Process) -> bool:
    """Whether the process does anything; a dead one that nobody has asked after does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
