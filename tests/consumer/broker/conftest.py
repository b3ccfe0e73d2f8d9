"""A broker that tests may block, freeze and kill, if they put it right again."""

from collections.abc import Callable, Iterator

import pytest

from deploy.servers import RabbitServer
from tests.servers.vhosts import Vhost, fresh_vhost


@pytest.fixture(scope="package")
def frail_broker(own_broker: Callable[[], RabbitServer]) -> RabbitServer:
    return own_broker()


@pytest.fixture
def frail_vhost(frail_broker: RabbitServer) -> Iterator[Vhost]:
    with fresh_vhost(frail_broker) as fresh:
        yield fresh
