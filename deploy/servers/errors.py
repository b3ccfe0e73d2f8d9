"""What can go wrong with a server of one's own."""

from collections.abc import Sequence


class ServerError(Exception):
    """The root of this package's errors."""


class NoServerFoundError(ServerError):
    """Neither a container nor binaries nor leave to install them; says in two lines what helps."""

    def __init__(self, server: str, package: str, tried: Sequence[str]) -> None:
        super().__init__(
            f"No {server} can be started here: {'; '.join(tried)}.\n"
            f"Install {package} (on Debian: apt-get install {package}), or start a Docker engine."
        )
        self.server = server
        self.package = package


class ServerDidNotStartError(ServerError):
    """A server ended, or was not ready in time; ``log`` holds its last lines."""

    def __init__(self, server: str, reason: str, log: str) -> None:
        super().__init__(f"{server} {reason}; its log ends with:\n{log}")
        self.server = server
        self.log = log


class CommandFailedError(ServerError):
    """A server's own tool (``rabbitmqctl``, ``psql``, ``apt-get``) refused."""

    def __init__(self, command: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"{' '.join(command)} ended with {code}: {output.strip()}")
        self.code = code
        self.output = output
