"""A server as a process of this machine."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.servers.errors import CommandFailedError
from deploy.servers.process_tree import kill_tree, signal_tree
from deploy.servers.watch import Watch

_SECONDS_TO_STOP = 60
_LOG_LINES = 30


@dataclass(kw_only=True)
class LocalMachine:
    """A server started from binaries, with all that it writes in a folder of its own.

    ``tools`` is the folder of the server's binaries. The server runs as ``user``, where one is
    named, its tools as the user who starts them.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    tools: Path
    watch: Watch
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the process; it has a session of its own, so that Ctrl-C does not reach it."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                extra_groups=None if self.user is None else [],
            )
        self.watch.process(self._process.pid)

    def stop(self) -> None:
        """Send the server's own signal for an orderly end; after a minute kill it."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the whole tree of processes."""
        if self._process is None or self._process.poll() is not None:
            return
        kill_tree(psutil.Process(self._process.pid))
        self._process.wait()

    def pause(self) -> None:
        """Stop the whole tree with SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def unpause(self) -> None:
        """Let the whole tree go on with SIGCONT."""
        self._signal(signal.SIGCONT)

    def is_running(self) -> bool:
        """Whether the process that was started is still there."""
        return self._process is not None and self._process.poll() is None

    def run(self, *command: str) -> str:
        """Run a program of the ``tools`` folder, in the server's environment."""
        program, *arguments = command
        done = subprocess.run(
            [str(self.tools / program), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandFailedError(command, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def log(self) -> str:
        """The end of the file into which the server's output goes."""
        if not self._log_file.exists():
            return ""
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    @property
    def _log_file(self) -> Path:
        return self.folder / "server.log"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            signal_tree(psutil.Process(self._process.pid), number)
