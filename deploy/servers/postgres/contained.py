"""A PostgreSQL in a container."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import join

from testcontainers.core.container import DockerContainer

from deploy.servers.containers import container_machine
from deploy.servers.ports import LOOPBACK, free_ports
from deploy.servers.postgres.configuration import as_options, tls_files, tls_settings
from deploy.servers.postgres.server import PostgresAddress, PostgresServer
from deploy.servers.tls import ServerTls

_PORT = 5432
_SUPERUSER = "postgres"
_COPIED, _FILES = "/pointsman", "/etc/pointsman"
# The tools connect from inside, the image's own while it prepares the data by the socket.
_TOOLS = f"local all all trust\nhost all all {LOOPBACK}/32"


@contextmanager
def contained_postgresql(
    image: str, *, durable: bool, tls: ServerTls | None = None
) -> Iterator[PostgresServer]:
    """A server in a container of its own, gone at the end with its volumes."""
    (port,) = free_ports(1)
    password = secrets.token_hex(8)
    container = (
        DockerContainer(image)
        .with_env("POSTGRES_USER", _SUPERUSER)
        .with_env("POSTGRES_PASSWORD", password)
        .with_command(_command(tls, durable=durable))
        # Fixed here, because a mapped port changes with every start.
        .with_bind_ports(_PORT, port)
    )
    if tls is not None:
        for name, content in tls_files(tls, tools=_TOOLS).items():
            container.with_copy_into_container(content, f"{_COPIED}/{name}")
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


def _command(tls: ServerTls | None, *, durable: bool) -> list[str]:
    settings = {"max_connections": "200", "fsync": "on" if durable else "off"}
    if tls is None:
        return ["postgres", *as_options(settings)]
    server = ["docker-entrypoint.sh", "postgres", *as_options(settings | tls_settings(_FILES))]
    # What is copied belongs to root; the server reads no key that is not its own.
    own = f"install -D -o postgres -m 600 -t {_FILES} {_COPIED}/*"
    return ["sh", "-c", f"{own} && exec {join(server)}"]
