"""A RabbitMQ in a container."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer

from deploy.servers.containers import container_machine
from deploy.servers.ports import free_ports
from deploy.servers.rabbit.configuration import ENABLED_PLUGINS, SETTINGS
from deploy.servers.rabbit.server import RabbitAddress, RabbitServer

_AMQP, _MANAGEMENT = 5672, 15672
_USER = "guest"


@contextmanager
def contained_rabbitmq(image: str) -> Iterator[RabbitServer]:
    """A broker in a container of its own, gone at the end with its volumes."""
    port, management_port = free_ports(2)
    password = secrets.token_hex(8)
    container = (
        DockerContainer(image)
        .with_env("RABBITMQ_DEFAULT_USER", _USER)
        .with_env("RABBITMQ_DEFAULT_PASS", password)
        .with_copy_into_container(SETTINGS.encode(), "/etc/rabbitmq/conf.d/90-pointsman.conf")
        .with_copy_into_container(ENABLED_PLUGINS.encode(), "/etc/rabbitmq/enabled_plugins")
        # Fixed here, because a mapped port changes with every start.
        .with_bind_ports(_AMQP, port)
        .with_bind_ports(_MANAGEMENT, management_port)
    )
    with container_machine(container, {}) as machine:
        machine.start()
        address = RabbitAddress(
            host=container.get_container_host_ip(),
            port=container.get_exposed_port(_AMQP),
            management_port=container.get_exposed_port(_MANAGEMENT),
            user=_USER,
            password=password,
        )
        server = RabbitServer(machine, address)
        server.wait_until_ready()
        yield server
