"""Databases of a test's own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.servers import PostgresServer


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database, dropped at the end."""
    name = f"test_{secrets.token_hex(6)}"
    url = server.create_database(name)
    try:
        yield url
    finally:
        server.drop_database(name)
