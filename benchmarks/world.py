"""Servers of a benchmark's own, and worlds on them in which consumers can work."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from consumer.broker.connection import connect
from consumer.settings import Settings
from consumer.topology.declare import declare
from consumer.topology.description import describe
from deploy.servers import PostgresServer, RabbitServer, postgresql, rabbitmq
from persistence.migrating import upgrade
from tests.integration.world import World

PARTITIONS: int = Settings.model_fields["partitions"].default
"""As many as a user gets who sets nothing."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a PostgreSQL that writes through to the disk."""

    broker: RabbitServer
    database: PostgresServer

    def world(self, name: str, database_url: str | None = None) -> "Place":
        """A virtual host, and where no other database is given, a PostgreSQL database."""
        return Place(
            amqp_url=self.broker.create_vhost(name),
            database_url=database_url or self.database.create_database(name),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a consumer works."""

    amqp_url: str
    database_url: str

    @property
    def settings(self) -> dict[str, str]:
        """The consumer's settings, as keywords; all others are the defaults."""
        return {
            "amqp_url": self.amqp_url,
            "database_url": self.database_url,
            "partitions": str(PARTITIONS),
        }


@contextmanager
def own_servers() -> Iterator[Servers]:
    """Servers that are there for as long as the block lasts."""
    with rabbitmq() as broker, postgresql() as database:
        yield Servers(broker, database)


async def prepare(place: Place | World) -> None:
    """Make tables and queues."""
    await asyncio.to_thread(upgrade, place.database_url)
    connection = await connect(place.amqp_url, "benchmark")
    await declare(connection, describe(int(place.settings["partitions"])))
    await connection.close()
