"""A PostgreSQL in a container."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer

from deploy.servers.containers import container_machine
from deploy.servers.ports import LOOPBACK, free_ports
from deploy.servers.postgres.server import PostgresAddress, PostgresServer

_PORT = 5432
_SUPERUSER = "postgres"


@contextmanager
def contained_postgresql(image: str, *, durable: bool) -> Iterator[PostgresServer]:
    """A server in a container of its own, gone at the end with its volumes."""
    (port,) = free_ports(1)
    password = secrets.token_hex(8)
    command = ["postgres", "-c", "max_connections=200", "-c", f"fsync={'on' if durable else 'off'}"]
    container = (
        DockerContainer(image)
        .with_env("POSTGRES_USER", _SUPERUSER)
        .with_env("POSTGRES_PASSWORD", password)
        .with_command(command)
        # Fixed here, because a mapped port changes with every start.
        .with_bind_ports(_PORT, port)
    )
    # Over TCP, because the image's first, preparing server listens on its socket alone.
    login = {"PGHOST": LOOPBACK, "PGUSER": _SUPERUSER, "PGPASSWORD": password}
    with container_machine(container, login) as machine:
        machine.start()
        address = PostgresAddress(
            host=container.get_container_host_ip(),
            port=container.get_exposed_port(_PORT),
            user=_SUPERUSER,
            password=password,
        )
        server = PostgresServer(machine, address)
        server.wait_until_ready()
        yield server
