"""The servers of a trial, and the lines by which consumers reach them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from yarl import URL

from consumer.broker.connection import connect
from consumer.topology.declare import declare
from consumer.topology.description import describe
from deploy.servers import PostgresServer, RabbitServer
from deploy.servers.watch import Watch
from persistence.database import open_database
from persistence.limits import set_limit
from persistence.migrating import upgrade
from persistence.topology import record_partitions
from tests.chaos.cancelling import CancellingProxy
from tests.chaos.fleet import Fleet
from tests.chaos.load.hearing import declare_subscriptions
from tests.chaos.load.junk import MAX_BODY_BYTES
from tests.chaos.load.workers import LIMITS
from tests.chaos.notes import make_table
from tests.chaos.policy import MisbehavingTaskPolicy
from tests.chaos.proxy import Proxy

_PARTITIONS = 3
_CONSUMERS = 3
_HEARTBEAT_SECONDS = 6
_PROCESSING_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One consumer's ways to its servers."""

    broker: CancellingProxy
    database: Proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a trial takes place; the servers have other virtual hosts and databases as well.

    ``url`` and ``database_url`` lead to the servers straight.
    """

    broker: RabbitServer
    postgres: PostgresServer
    vhost: str
    database: str
    url: str
    database_url: str
    lines: Sequence[Line]
    fleet: Fleet


@asynccontextmanager
async def prepared(
    broker: RabbitServer, postgres: PostgresServer, folder: Path, rng: Random
) -> AsyncIterator[Place]:
    """A virtual host and a database of the trial's own, with all that stands there at the start.

    No consumer is started yet.
    """
    name = f"chaos-{secrets.token_hex(4)}"
    url = await asyncio.to_thread(broker.create_vhost, name)
    database_url = await asyncio.to_thread(postgres.create_database, name)
    await _make_schema(database_url)
    await _make_topology(url)
    async with AsyncExitStack() as open_things:
        lines = [await _line(open_things, broker, postgres) for _ in range(_CONSUMERS)]
        shared = _settings(url, rng)
        watch = open_things.enter_context(Watch())
        all_settings = [{**shared, **_through(line, url, database_url)} for line in lines]
        yield Place(
            broker=broker,
            postgres=postgres,
            vhost=name,
            database=name,
            url=url,
            database_url=database_url,
            lines=lines,
            fleet=Fleet(all_settings, folder, watch),
        )
    await asyncio.to_thread(broker.delete_vhost, name)
    await asyncio.to_thread(postgres.drop_database, name)


async def _make_schema(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)
    async with open_database(database_url) as database:
        await record_partitions(database, _PARTITIONS)
        for tag, slots in LIMITS.items():
            await set_limit(database, tag, slots)
    await make_table(database_url)


async def _make_topology(url: str) -> None:
    connection = await connect(url, "trial set-up")
    await declare(connection, describe(_PARTITIONS))
    await connection.close()
    await declare_subscriptions(url)


async def _line(
    open_things: AsyncExitStack, broker: RabbitServer, postgres: PostgresServer
) -> Line:
    to_broker = CancellingProxy.to(broker.host, broker.port)
    to_database = Proxy.to(postgres.host, postgres.port)
    return Line(
        broker=await open_things.enter_async_context(to_broker),
        database=await open_things.enter_async_context(to_database),
    )


def _settings(url: str, rng: Random) -> Mapping[str, object]:
    """What all consumers have in common; sizes differ from trial to trial."""
    return {
        "partitions": _PARTITIONS,
        "prefetch": rng.choice((20, 50, 128)),
        "batch_size": rng.choice((10, 50, 200)),
        "processing_seconds": _PROCESSING_SECONDS,
        "slot_delay_seconds": 1,
        "max_failures": 2,
        "max_body_bytes": MAX_BODY_BYTES,
        "force_users": URL(url).user,
        "task_policy": f"{MisbehavingTaskPolicy.__module__}:{MisbehavingTaskPolicy.__name__}",
        "http_port": 0,
        "log_level": "debug",
    }


def _through(line: Line, url: str, database_url: str) -> Mapping[str, object]:
    """Where a consumer finds its servers: at its own ends of its lines."""
    to_broker = URL(url).with_host(line.broker.host).with_port(line.broker.port)
    to_database = URL(database_url).with_host(line.database.host).with_port(line.database.port)
    return {
        "amqp_url": to_broker.update_query(heartbeat=_HEARTBEAT_SECONDS),
        "database_url": to_database,
    }
