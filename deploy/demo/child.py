"""The child that is the demo proper, and the signals that it is to get."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from deploy.demo.place import Place
from deploy.servers.watch import Watch

_PREFIX = "POINTSMAN_"
_KEPT = ("POINTSMAN_LOG_LEVEL", "POINTSMAN_LOG_FORMAT")
_FOR_TLS = ("POINTSMAN_AMQP_CA", "POINTSMAN_AMQP_CERT", "POINTSMAN_AMQP_KEY")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedError(Exception):
    """The demo was told by a signal to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def raise_stopped(number: int, _frame: FrameType | None) -> None:
    """A handler that makes ``StoppedError`` of a signal, so that all is put back on the way out."""
    raise StoppedError(number)


def environment(inherited: Mapping[str, str], place: Place, folder: Path) -> dict[str, str]:
    """The child's: what is set for another Pointsman is left out."""
    kept = _KEPT + _FOR_TLS if place.amqp_url.startswith("amqps:") else _KEPT
    others = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(_PREFIX) or name in kept
    }
    return others | {
        "POINTSMAN_AMQP_URL": place.amqp_url,
        "POINTSMAN_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'pointsman.db'}",
        "POINTSMAN_PARTITIONS": str(place.partitions),
        "POINTSMAN_HTTP_PORT": "0",
    }


def run(command: Sequence[str], environment: Mapping[str, str], watch: Watch) -> int:
    """Run a command, handing signals on; its exit code.

    It has a session of its own, so that a Ctrl-C comes to it once and not twice.
    """
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    ) as child:
        watch.process(child.pid)
        try:
            code = _wait(child)
        finally:
            # The child and whatever it leaves behind, all of one process group.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _wait(child: subprocess.Popen[bytes]) -> int:
    try:
        return child.wait()
    except StoppedError as stopped:
        child.send_signal(stopped.number)
        return child.wait()
