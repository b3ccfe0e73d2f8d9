"""What all servers of one's own can do, wherever they run."""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from deploy.servers.machine import Machine


class Address(Protocol):
    """Where a server listens."""

    @property
    def host(self) -> str:
        """Its host."""

    @property
    def port(self) -> int:
        """Its port."""


AddressT = TypeVar("AddressT", bound=Address)


class Server(ABC, Generic[AddressT]):
    """A server's life; its address stays the same over restarts.

    All calls block until they are done; in a coroutine hand them to ``asyncio.to_thread``.
    """

    def __init__(self, machine: Machine, address: AddressT) -> None:
        self.machine = machine
        self.address = address

    @property
    def host(self) -> str:
        """The host on which the server listens."""
        return self.address.host

    @property
    def port(self) -> int:
        """The port on which the server listens."""
        return self.address.port

    def stop(self) -> None:
        """Stop the server in order; connections are closed."""
        self.machine.stop()

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self.machine.kill()

    def start_again(self) -> None:
        """Start a stopped or killed server, with its data; returns when it answers."""
        self.machine.start()
        self.wait_until_ready()

    def restart(self) -> None:
        """Stop the server in order and start it again."""
        self.stop()
        self.start_again()

    def pause(self) -> None:
        """Freeze the server: connections stay open, nothing is answered."""
        self.machine.pause()

    def unpause(self) -> None:
        """Let a frozen server go on."""
        self.machine.unpause()

    @abstractmethod
    def wait_until_ready(self) -> None:
        """Wait until the server does what it is there for."""
