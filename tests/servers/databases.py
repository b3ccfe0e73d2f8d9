"""Databases of a test's own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.servers import PostgresServer

EMPTY = "template0"


@contextmanager
def fresh_database(server: PostgresServer, template: str = EMPTY) -> Iterator[str]:
    """The URL of a copy of the database that is named, dropped at the end."""
    name = f"test_{secrets.token_hex(6)}"
    url = server.create_database(name, template)
    try:
        yield url
    finally:
        server.drop_database(name)
