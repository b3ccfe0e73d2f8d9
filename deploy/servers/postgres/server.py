"""A PostgreSQL of one's own, wherever it runs."""

from dataclasses import dataclass

from deploy.servers.errors import CommandFailedError
from deploy.servers.machine import Machine
from deploy.servers.waiting import wait_until

_MAINTENANCE = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """Where a server listens, and its superuser."""

    host: str
    port: int
    user: str
    password: str


class PostgresServer:
    """A database server; its user may do everything. Addresses stay the same over restarts.

    All calls block until they are done; in a coroutine hand them to ``asyncio.to_thread``.
    """

    def __init__(self, machine: Machine, address: PostgresAddress) -> None:
        self.machine = machine
        self.address = address

    @property
    def host(self) -> str:
        """The address on which the server listens."""
        return self.address.host

    @property
    def port(self) -> int:
        """The port on which the server listens."""
        return self.address.port

    def url_of(self, database: str) -> str:
        """The SQLAlchemy URL of a database, for asyncpg."""
        address = self.address
        login = f"{address.user}:{address.password}"
        return f"postgresql+asyncpg://{login}@{address.host}:{address.port}/{database}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database, a copy of ``template``, to which nobody may be connected; its URL."""
        self.run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists; connections to it are closed."""
        self.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run_sql(self, statement: str, database: str = _MAINTENANCE) -> str:
        """Run one statement by ``psql`` as superuser; its rows, fields parted by ``|``."""
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", database)
        return self.machine.run(
            "psql", *options, "--set", "ON_ERROR_STOP=1", "--command", statement
        )

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

    def wait_until_ready(self) -> None:
        """Wait until the server answers a query, past recovery where it was killed."""
        wait_until(self._answers, "PostgreSQL", self.machine)

    def _answers(self) -> bool:
        try:
            self.run_sql("SELECT 1")
        except CommandFailedError:
            return False
        return True
