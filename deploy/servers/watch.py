"""The starter's side of the watcher: what must not outlive it."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class Watch:
    """A process that ends what this one leaves behind, however it ends, SIGKILL included.

    The watcher reads from a pipe of which only the starter holds the other end, so that the pipe
    closes with the starter's life. It kills what it was told of then, and removes the folders.
    """

    def __init__(self) -> None:
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "deploy.servers.watcher"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watcher.communicate()

    def process(self, pid: int) -> None:
        """Let the process and its descendants not outlive this one."""
        self._tell({"process": pid})

    def container(self, container_id: str) -> None:
        """Likewise a container, with its volumes."""
        self._tell({"container": container_id})

    def folder(self, path: Path) -> None:
        """Likewise a folder and what is in it."""
        self._tell({"folder": str(path)})

    def _tell(self, leftover: dict[str, int | str]) -> None:
        if self._watcher.stdin is not None:
            self._watcher.stdin.write(json.dumps(leftover) + "\n")
            self._watcher.stdin.flush()
