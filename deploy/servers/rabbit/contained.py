"""A RabbitMQ in a container."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer

from deploy.servers.containers import container_machine
from deploy.servers.ports import free_ports
from deploy.servers.rabbit.configuration import (
    ENABLED_PLUGINS,
    SETTINGS,
    tls_files,
    tls_settings,
)
from deploy.servers.rabbit.server import RabbitAddress, RabbitServer
from deploy.servers.tls import ServerTls

_AMQP, _TLS, _MANAGEMENT = 5672, 5671, 15672
_FILES = "/etc/rabbitmq/tls"
_USER = "guest"


def _settings(tls: ServerTls | None) -> str:
    return SETTINGS if tls is None else SETTINGS + tls_settings(str(_TLS), _FILES, tls)


@contextmanager
def contained_rabbitmq(image: str, tls: ServerTls | None = None) -> Iterator[RabbitServer]:
    """A broker in a container of its own, gone at the end with its volumes."""
    port, management_port, tls_port = free_ports(3)
    password = secrets.token_hex(8)
    container = (
        DockerContainer(image)
        .with_env("RABBITMQ_DEFAULT_USER", _USER)
        .with_env("RABBITMQ_DEFAULT_PASS", password)
        .with_copy_into_container(_settings(tls).encode(), "/etc/rabbitmq/conf.d/90-pointsman.conf")
        .with_copy_into_container(ENABLED_PLUGINS.encode(), "/etc/rabbitmq/enabled_plugins")
        # Fixed here, because a mapped port changes with every start.
        .with_bind_ports(_AMQP, port)
        .with_bind_ports(_MANAGEMENT, management_port)
    )
    if tls is not None:
        container.with_bind_ports(_TLS, tls_port)
        for name, content in tls_files(tls).items():
            container.with_copy_into_container(content, f"{_FILES}/{name}")
    with container_machine(container, {}) as machine:
        machine.start()
        address = RabbitAddress(
            host=container.get_container_host_ip(),
            port=container.get_exposed_port(_AMQP),
            management_port=container.get_exposed_port(_MANAGEMENT),
            user=_USER,
            password=password,
            tls_port=None if tls is None else container.get_exposed_port(_TLS),
        )
        server = RabbitServer(machine, address)
        server.wait_until_ready()
        yield server
