"""Waiting until a server answers."""

import time
from collections.abc import Callable

from deploy.servers.errors import ServerDidNotStartError
from deploy.servers.machine import Machine

_SECONDS_BETWEEN_TRIES = 0.05
_SECONDS_TO_START = 120


def wait_until(answers: Callable[[], bool], server: str, machine: Machine) -> None:
    """Return when ``answers`` is true.

    Raises ``ServerDidNotStartError`` where the machine has ended or two minutes have passed.
    """
    deadline = time.monotonic() + _SECONDS_TO_START
    while not answers():
        if not machine.is_running():
            raise ServerDidNotStartError(server, "ended", machine.log())
        if time.monotonic() > deadline:
            reason = f"was not ready after {_SECONDS_TO_START} s"
            raise ServerDidNotStartError(server, reason, machine.log())
        time.sleep(_SECONDS_BETWEEN_TRIES)
