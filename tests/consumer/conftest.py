"""Connections to a virtual host of the test's own."""

from collections.abc import AsyncIterator

import pytest

from consumer.broker.connection import BrokerConnection, connect
from tests.servers.vhosts import Vhost


@pytest.fixture
async def connection(vhost: Vhost) -> AsyncIterator[BrokerConnection]:
    opened = await connect(vhost.url, "test")
    yield opened
    await opened.close()


@pytest.fixture
async def publishing(vhost: Vhost) -> AsyncIterator[BrokerConnection]:
    """A second connection, since one should not consume and publish on the same."""
    opened = await connect(vhost.url, "test, publishing")
    yield opened
    await opened.close()
