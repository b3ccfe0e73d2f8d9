"""A PostgreSQL of one's own, wherever it runs."""

from dataclasses import dataclass

from deploy.servers.errors import CommandFailedError
from deploy.servers.server import Server
from deploy.servers.waiting import wait_until

_MAINTENANCE = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """Where a server listens, and its superuser."""

    host: str
    port: int
    user: str
    password: str


class PostgresServer(Server[PostgresAddress]):
    """A database server; its user may do everything."""

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

    def wait_until_ready(self) -> None:
        """Wait until the server answers a query, past recovery where it was killed."""
        wait_until(self._answers, "PostgreSQL", self.machine)

    def _answers(self) -> bool:
        try:
            self.run_sql("SELECT 1")
        except CommandFailedError:
            return False
        return True
