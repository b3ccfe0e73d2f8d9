"""A world of the test's own, ready for consumers."""

import asyncio
from collections.abc import Callable

import pytest

from consumer.broker.connection import connect
from consumer.topology.declare import declare
from consumer.topology.description import describe
from persistence.database import open_database
from persistence.migrating import upgrade
from persistence.topology import record_partitions
from tests.integration.world import PARTITIONS, World
from tests.servers.vhosts import Vhost


@pytest.fixture
async def world(vhost: Vhost, postgres_url: str) -> World:
    """An empty database with its schema, and the topology on the broker."""
    await asyncio.to_thread(upgrade, postgres_url)
    async with open_database(postgres_url) as database:
        await record_partitions(database, PARTITIONS)
    connection = await connect(vhost.url, "test set-up")
    await declare(connection, describe(PARTITIONS))
    await connection.close()
    return World(vhost.url, postgres_url)


@pytest.fixture
def vhost_world(vhost: Vhost) -> Callable[[str], World]:
    """A world on a broker that stays, with a database that the test brings along."""
    return lambda database_url: World(vhost.url, database_url)
