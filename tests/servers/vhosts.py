"""Virtual hosts of a test's own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.servers import RabbitServer


@dataclass(frozen=True, slots=True)
class Vhost:
    """A virtual host in which the user of ``url`` may do everything."""

    server: RabbitServer
    name: str
    url: str


@contextmanager
def fresh_vhost(server: RabbitServer) -> Iterator[Vhost]:
    """An empty virtual host, deleted at the end."""
    name = f"test-{secrets.token_hex(6)}"
    url = server.create_vhost(name)
    try:
        yield Vhost(server, name, url)
    finally:
        server.delete_vhost(name)
