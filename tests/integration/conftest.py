"""A world of the test's own, ready for consumers."""

from collections.abc import Callable

import pytest

from tests.integration.processes import pointsman
from tests.integration.world import World
from tests.servers.vhosts import Vhost


@pytest.fixture
async def world(vhost: Vhost, postgres_url: str) -> World:
    """An empty database with its schema, and the topology on the broker."""
    world = World(vhost.url, postgres_url)
    for command in (("db", "upgrade"), ("topology", "declare")):
        ended = await pointsman(*command, **world.settings)
        assert ended.code == 0, ended.err
    return world


@pytest.fixture
def vhost_world(vhost: Vhost) -> Callable[[str], World]:
    """A world on a broker that stays, with a database that the test brings along."""
    return lambda database_url: World(vhost.url, database_url)
