"""A broker that somebody else runs, named by its AMQP URL."""

import http.client
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

from consumer.broker.address import BrokerAddress
from deploy.demo.place import DemoError, Place
from deploy.demo.topology import connect, queues_lent
from deploy.servers.errors import CommandFailedError
from deploy.servers.rabbit.management import Management

MANAGEMENT_PORT = 15672
_SECONDS_TO_ANSWER = 3


def _management(url: SplitResult, port: int) -> Management:
    return Management(
        host=url.hostname or "localhost",
        port=port,
        user=unquote(url.username or "guest"),
        password=unquote(url.password or "guest"),
        timeout_seconds=_SECONDS_TO_ANSWER,
    )


def _made(management: Management, vhost: str, url: str) -> bool:
    """Whether the virtual host could be made, and is one of the broker that was named."""
    try:
        management.create_vhost(vhost)
        connect(url).close()
    except (OSError, http.client.HTTPException, CommandFailedError, DemoError):
        _remove(management, vhost)
        return False
    return True


def _remove(management: Management, vhost: str) -> bool:
    try:
        management.delete_vhost(vhost)
    except (OSError, http.client.HTTPException, CommandFailedError):
        return False
    return True


@contextmanager
def place_on(
    broker: BrokerAddress | str, management_port: int = MANAGEMENT_PORT
) -> Iterator[Place]:
    """A virtual host of the demo's own where the broker lets its user make one, else the one named.

    Raises ``DemoError`` where the broker can't be reached or is at work.
    """
    address = BrokerAddress.of(broker)
    connect(address).close()
    parts = urlsplit(address.url)
    vhost = f"pointsman-demo-{secrets.token_hex(4)}"
    own_url = parts._replace(path=f"/{vhost}").geturl()
    management = _management(parts, management_port)
    if parts.scheme == "amqp" and _made(management, vhost, own_url):
        try:
            yield Place(own_url)
        finally:
            _remove(management, vhost)
    else:
        with queues_lent(address) as partitions:
            yield Place(address.url, partitions)
