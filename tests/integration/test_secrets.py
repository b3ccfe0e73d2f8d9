"""No password comes out of a running consumer, whatever befalls it and whatever rules raise."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from yarl import URL

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import connect
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery
from consumer.client import Client
from consumer.health.endpoints import METRICS, READY
from consumer.health.readiness import Obstacle
from consumer.settings import Settings
from consumer.topology.names import DEAD_LETTERS
from deploy.servers import PostgresServer, RabbitServer
from deploy.servers.ports import free_ports
from persistence.address import DatabaseAddress
from persistence.database import open_database
from persistence.schema import Base
from tests.consumer.health.clients import get
from tests.integration.letters import until_recorded
from tests.integration.processes import RunningConsumer, consuming, pointsman
from tests.integration.world import PARTITIONS, proposal, watching
from tests.servers.certificates import Authority
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost, fresh_vhost

USER = "keeper"
LEAKY = "tests.integration.leaky_policy:LeakyPolicy"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'"
PRINTING = (
    "check",
    "check --json",
    "dead-letters list",
    "dead-letters list --json",
    "dead-letters groups --json",
    "dead-letters export",
)


@dataclass(frozen=True, slots=True)
class Guarded:
    """Servers on which a user has a password, that they check, and a consumer's settings there."""

    vhost: Vhost
    postgres: PostgresServer
    settings: dict[str, object]
    password: str

    async def change_broker_password(self, password: str) -> None:
        """The connections that there are, are closed."""
        ctl = self.vhost.server.run_ctl
        await asyncio.to_thread(ctl, "change_password", USER, password)
        await asyncio.to_thread(
            ctl, "close_all_connections", "--vhost", self.vhost.name, "password changed"
        )

    async def change_database_password(self, password: str) -> None:
        """Likewise."""
        run_sql = self.postgres.run_sql
        await asyncio.to_thread(run_sql, f"ALTER ROLE {USER} PASSWORD '{password}'")
        await asyncio.to_thread(run_sql, END_SESSIONS)


@pytest.fixture
def guarded(
    tls_broker: RabbitServer, tls_postgres: PostgresServer, authority: Authority
) -> Iterator[Guarded]:
    password = secrets.token_hex(12)
    held = authority.issue(USER)
    tls_postgres.run_sql(f"CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{password}'")
    tls_broker.run_ctl("add_user", USER, password)
    with fresh_vhost(tls_broker) as vhost, fresh_database(tls_postgres) as url:
        tls_broker.run_ctl("set_permissions", "--vhost", vhost.name, USER, ".*", ".*", ".*")
        amqp_url = URL(vhost.url).with_user(USER).with_password(password)
        database_url = URL(url).with_user(USER).with_password(None)
        settings: dict[str, object] = {
            "amqp_url": str(amqp_url),
            "database_url": str(database_url.with_query(password=password)),
            "database_ca": authority.file,
            "database_cert": held.certificate,
            "database_key": held.key,
            "partitions": PARTITIONS,
            "task_policy": LEAKY,
            "max_failures": 1,
            "log_level": "debug",
            "http_port": free_ports(1)[0],
        }
        yield Guarded(vhost, tls_postgres, settings, password)
    tls_broker.run_ctl("delete_user", USER)
    tls_postgres.run_sql(f"DROP ROLE {USER}")


@asynccontextmanager
async def letters(broker: BrokerAddress) -> AsyncIterator[Intake]:
    """Copies of what goes to the dead letters."""
    connection = await connect(broker, "test letters")
    async with connection.channel() as channel:
        queue = str((await channel.queue_declare(exclusive=True)).queue)
        await channel.queue_bind(queue, DEAD_LETTERS)
    yield await Intake.open(connection, [Source(queue)], prefetch=10)
    await connection.close()


async def rows(address: DatabaseAddress) -> AsyncIterator[str]:
    """All that is in all tables."""
    async with open_database(address) as database, database.reading() as connection:
        for table in Base.metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                yield " ".join(
                    each.decode(errors="replace") if isinstance(each, bytes) else str(each)
                    for each in row
                )


async def pages(guarded: Guarded) -> AsyncIterator[str]:
    """What is told over HTTP."""
    for path in (READY, METRICS):
        yield (await get(int(str(guarded.settings["http_port"])), path)).body


async def paused_by(consumer: RunningConsumer, obstacle: Obstacle) -> None:
    count = 0
    while not any(event["by"] == obstacle for event in consumer.told("paused")):
        count += 1
        await consumer.event("paused", count)


async def printed(guarded: Guarded, *commands: str) -> AsyncIterator[str]:
    for command in commands:
        ended = await pointsman(*command.split(), **guarded.settings)
        yield ended.out + ended.err


def messages(deliveries: list[Delivery]) -> Iterator[str]:
    for each in deliveries:
        yield f"{each.body.decode()} {each.properties}"


@pytest.mark.timeout(300)
async def test_what_rules_raise_is_told_to_nobody_with_a_password(guarded: Guarded) -> None:
    assert (await pointsman("db", "upgrade", **guarded.settings)).code == 0
    settings = Settings.from_environment(**guarded.settings)
    said: list[str] = []
    async with (
        consuming(**guarded.settings) as consumer,
        watching(settings.broker.url) as watcher,
        letters(settings.broker) as buried,
    ):
        for state in ("RUNNING", "PAUSED"):
            await watcher.send(proposal(state, create={}))
        said += messages(await watcher.replied(2) + await watcher.heard(2))
        said += messages(await buried.next_batch(1) + await buried.next_batch(1))
        async with open_database(settings.database) as database:
            await until_recorded(database, 2)
        said += [each async for each in pages(guarded)]
        ctl, listed = guarded.vhost.server.run_ctl, ("vhost", "user", "client_properties")
        said.append(await asyncio.to_thread(ctl, "list_connections", *listed))
        said += [each async for each in printed(guarded, *PRINTING)]
    said += [*consumer.lines, *[each async for each in rows(settings.database)]]

    everything = "\n".join(said)

    assert everything.count("nothing to be had of postgresql+asyncpg://***@") >= 8
    assert "ConnectionError: can't connect to amqp://***@" in everything
    assert "pointsman@" in everything
    assert guarded.password not in everything


@pytest.mark.timeout(300)
async def test_servers_that_refuse_the_password_later_are_told_without_it(
    guarded: Guarded,
) -> None:
    assert (await pointsman("db", "upgrade", **guarded.settings)).code == 0
    said: list[str] = []
    async with consuming(**guarded.settings) as consumer:
        await guarded.change_broker_password("another")
        assert "ACCESS_REFUSED" in (await consumer.event("broker-away", 2))["error"]
        said += [each async for each in pages(guarded)]
        said += [each async for each in printed(guarded, "decisions tail --limit 1")]
        await guarded.change_broker_password(guarded.password)
        await consumer.event("consuming", 2)

        await guarded.change_database_password("another")
        async with Client.connected(str(guarded.settings["amqp_url"])) as client:
            await client.send(proposal("PENDING", create={}))
            await paused_by(consumer, Obstacle.DATABASE)
            said += [each async for each in pages(guarded)]
            said += [each async for each in printed(guarded, "check", "db check")]
            await guarded.change_database_password(guarded.password)
            assert (await client.decision())["decision"] == "accept"

        consumer.send(signal.SIGTERM)
        assert await consumer.ended() == 0
    said += consumer.lines

    everything = "\n".join(said)

    assert "password authentication failed" in everything
    assert guarded.password not in everything
