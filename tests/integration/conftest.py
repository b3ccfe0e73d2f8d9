"""A world of the test's own, ready for consumers."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import pytest_asyncio

from consumer.broker.connection import connect
from consumer.topology.declare import declare
from consumer.topology.description import describe
from deploy.servers import PostgresServer, RabbitServer
from persistence.database import open_database
from persistence.migrating import upgrade
from persistence.topology import record_partitions
from tests.integration.world import PARTITIONS, World
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost, fresh_vhost


@pytest.fixture
async def world(vhost: Vhost, migrated_postgres_url: str) -> World:
    """An empty database with its schema, and the topology on the broker."""
    return await prepared(vhost, migrated_postgres_url)


@pytest.fixture(scope="module")
def shared_vhost(broker: RabbitServer) -> Iterator[Vhost]:
    """A virtual host for tests that do not mind each other's runs."""
    with fresh_vhost(broker) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def shared_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A database for the same."""
    with fresh_database(postgres) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_world(shared_vhost: Vhost, shared_postgres_url: str) -> World:
    """A world for tests that do not mind each other's runs, and share a consumer."""
    return await prepared(shared_vhost, shared_postgres_url)


@pytest.fixture
def vhost_world(vhost: Vhost) -> Callable[[str], World]:
    """A world on a broker that stays, with a database that the test brings along."""
    return lambda database_url: World(vhost.url, database_url)


async def prepared(vhost: Vhost, postgres_url: str) -> World:
    """A world of a virtual host and a database in which there is nothing yet."""
    await asyncio.to_thread(upgrade, postgres_url)
    async with open_database(postgres_url) as database:
        await record_partitions(database, PARTITIONS)
    connection = await connect(vhost.url, "test set-up")
    await declare(connection, describe(PARTITIONS))
    await connection.close()
    return World(vhost.url, postgres_url)
