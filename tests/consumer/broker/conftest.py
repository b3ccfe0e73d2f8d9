"""A broker that tests may block, freeze and kill, if they put it right again."""

from collections.abc import Iterator

import pytest

from deploy.servers import RabbitServer, rabbitmq
from tests.servers.vhosts import Vhost, fresh_vhost


@pytest.fixture(scope="session")
def frail_broker() -> Iterator[RabbitServer]:
    with rabbitmq() as server:
        yield server


@pytest.fixture
def frail_vhost(frail_broker: RabbitServer) -> Iterator[Vhost]:
    with fresh_vhost(frail_broker) as fresh:
        yield fresh
