"""What goes wrong now and then."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.servers import PostgresServer, RabbitServer
from tests.soak.consumers import ConsumerProcess

_FREEZE_SECONDS = 5.0
_FROZEN_DATABASE_SECONDS = 10.0
_ALARM_SECONDS = 10.0
_AWAY_SECONDS = 90.0

_ALARM = "0.00001"
_NO_ALARM = "0.4"  # the broker's default up to 3.13
_END_SESSIONS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'pointsman'
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where faults are made; ``rng`` chooses whom one befalls."""

    broker: RabbitServer
    postgres: PostgresServer
    consumers: Sequence[ConsumerProcess]
    rng: random.Random


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong and comes right again; ``make`` returns when it has."""

    name: str
    make: Callable[[Site], Awaitable[None]]


async def close_connections(site: Site) -> None:
    """All connections are closed from the broker's side, the load's too."""
    await asyncio.to_thread(site.broker.run_ctl, "close_all_connections", "soak")


async def end_sessions(site: Site) -> None:
    """All of the consumers' sessions on the database are ended."""
    await asyncio.to_thread(site.postgres.run_sql, _END_SESSIONS)


async def restart_broker(site: Site) -> None:
    """The broker is stopped in order and started again."""
    async with _undone(site.broker.stop, site.broker.start_again):
        pass


async def restart_database(site: Site) -> None:
    """Likewise the database."""
    async with _undone(site.postgres.stop, site.postgres.start_again):
        pass


async def freeze_database(site: Site) -> None:
    """The database does not answer for a while, with connections open."""
    async with _undone(site.postgres.pause, site.postgres.unpause):
        await asyncio.sleep(_FROZEN_DATABASE_SECONDS)


async def raise_memory_alarm(site: Site) -> None:
    """The broker blocks all who publish, for a while."""

    def set_watermark(fraction: str) -> None:
        site.broker.run_ctl("set_vm_memory_high_watermark", fraction)

    async with _undone(lambda: set_watermark(_ALARM), lambda: set_watermark(_NO_ALARM)):
        await asyncio.sleep(_ALARM_SECONDS)


async def take_database_away(site: Site) -> None:
    """The database is away for longer than a consumer keeps messages in hand."""
    async with _undone(site.postgres.stop, site.postgres.start_again):
        await asyncio.sleep(_AWAY_SECONDS)


async def freeze_consumer(site: Site) -> None:
    """One of the consumers stands still for a moment."""
    consumer = site.rng.choice(site.consumers)
    async with _undone(consumer.freeze, consumer.thaw):
        await asyncio.sleep(_FREEZE_SECONDS)


FAULTS: Sequence[Fault] = (
    Fault("connections closed", close_connections),
    Fault("sessions ended", end_sessions),
    Fault("broker restarted", restart_broker),
    Fault("database restarted", restart_database),
    Fault("database frozen 10 s", freeze_database),
    Fault("memory alarm 10 s", raise_memory_alarm),
    Fault("consumer frozen 5 s", freeze_consumer),
    Fault("database away 90 s", take_database_away),
)
"""In the order in which they come, again and again."""


@asynccontextmanager
async def _undone(do: Callable[[], None], undo: Callable[[], None]) -> AsyncIterator[None]:
    """Do something for the time of the block, and undo it however the block is left."""
    doing = asyncio.ensure_future(asyncio.to_thread(do))
    try:
        await asyncio.shield(doing)
        yield
    finally:
        await asyncio.wait({doing})
        await asyncio.to_thread(undo)
