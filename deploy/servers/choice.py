"""Which way a server is had here."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

from deploy.servers import debian
from deploy.servers.containers import why_no_container
from deploy.servers.errors import NoServerFoundError
from deploy.servers.postgres import local as local_postgres
from deploy.servers.postgres.contained import contained_postgresql
from deploy.servers.postgres.server import PostgresServer
from deploy.servers.rabbit import local as local_rabbit
from deploy.servers.rabbit.contained import contained_rabbitmq
from deploy.servers.rabbit.server import RabbitServer
from deploy.servers.tls import ServerTls

_Binaries = TypeVar("_Binaries")
_Server = TypeVar("_Server", bound=RabbitServer | PostgresServer)
_Start = Callable[[], AbstractContextManager[_Server]]


def _binaries(
    name: str, package: str, find: Callable[[], _Binaries | None], no_container: str
) -> _Binaries:
    """The binaries of this machine, installed first where they are missing and may be."""
    found, not_installed = find(), None
    if found is None:
        with debian.one_at_a_time():
            not_installed = None if find() else debian.install(package)
        found = find()
    if found is None:
        tried = [no_container, not_installed or f"the package {package} holds no usable binaries"]
        raise NoServerFoundError(name, package, tried)
    return found


def find_rabbitmq(tls: ServerTls | None = None) -> _Start[RabbitServer]:
    """Settle how a broker is had here, fetching what is missing: may take minutes, starts nothing.

    Raises ``NoServerFoundError`` where there is none to be had.
    """
    image = os.environ.get("POINTSMAN_RABBITMQ_IMAGE", "rabbitmq:4")
    no_container = why_no_container(image)
    if no_container is None:
        return partial(contained_rabbitmq, image, tls)
    find = local_rabbit.find_binaries
    binaries = _binaries("RabbitMQ", "rabbitmq-server", find, no_container)
    return partial(local_rabbit.local_rabbitmq, binaries, tls)


def find_postgresql(
    *, durable: bool = True, tls: ServerTls | None = None
) -> _Start[PostgresServer]:
    """The same for a database server; without ``durable`` it does not wait for its disk."""
    image = os.environ.get("POINTSMAN_POSTGRES_IMAGE", "postgres:17")
    no_container = why_no_container(image)
    if no_container is None:
        return partial(contained_postgresql, image, durable=durable, tls=tls)
    find = local_postgres.find_binaries
    binaries = _binaries("PostgreSQL", "postgresql", find, no_container)
    return partial(local_postgres.local_postgresql, binaries, durable=durable, tls=tls)


@contextmanager
def rabbitmq(tls: ServerTls | None = None) -> Iterator[RabbitServer]:
    """A broker of one's own: in a container, else from this machine's binaries.

    With ``tls`` it has a listener for that beside the plain one.

    Binaries that are missing are installed where that is permitted. The broker is gone at the
    end, whatever ends its starter. Raises ``NoServerFoundError`` where there is none to be had.
    """
    with find_rabbitmq(tls)() as server:
        yield server


@contextmanager
def postgresql(*, durable: bool = True, tls: ServerTls | None = None) -> Iterator[PostgresServer]:
    """A database server of one's own, likewise; not ``durable``: it does not wait for its disk.

    With ``tls`` it takes connections from outside by TLS only, and checks passwords.
    """
    with find_postgresql(durable=durable, tls=tls)() as server:
        yield server
