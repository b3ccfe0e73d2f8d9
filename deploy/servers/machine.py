"""Where a server runs: a process of this machine or a container."""

from typing import Protocol


class Machine(Protocol):
    """One server's process with its data, which outlive each other's restarts.

    Ports stay the same over any number of starts. Nothing here waits until the server answers.
    """

    def start(self) -> None:
        """Start the server, for the first time or again."""

    def stop(self) -> None:
        """Ask the server to end in order, and wait until it has."""

    def kill(self) -> None:
        """End the server and all of its processes with SIGKILL, and wait until they are gone."""

    def pause(self) -> None:
        """Freeze the server: connections stay open, nothing is answered."""

    def unpause(self) -> None:
        """Let a frozen server go on."""

    def is_running(self) -> bool:
        """Whether the server's process is there, frozen or not."""

    def run(self, *command: str) -> str:
        """Run one of the server's own tools where the server is; its standard output.

        Raises ``CommandFailedError`` where it ends with anything but 0.
        """

    def log(self) -> str:
        """The last lines that the server wrote."""
