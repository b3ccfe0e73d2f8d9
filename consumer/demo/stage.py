"""What must stand before a story can be performed: schema, limits, a consumer that serves."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import BrokerConnection, connect
from consumer.demo.child import ConsumerProcess, consumer_process
from consumer.demo.company import refuse_company
from consumer.demo.limits import limits_set
from consumer.settings import PREFIX, LogFormat, LogLevel, Settings
from persistence.database import open_database
from persistence.migrating import upgrade

CONNECTION_NAME = "pointsman demo"

_STOP_MARGIN_SECONDS = 5.0
_SLOT_DELAY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """The consumer, and a connection for whoever wants to watch."""

    connection: BrokerConnection
    consumer: ConsumerProcess


@asynccontextmanager
async def stage(settings: Settings, limits: Mapping[str, int]) -> AsyncIterator[Stage]:
    """Set the stage for as long as the block lasts; the consumer is stopped at its end.

    Raises:
        DemoError: another consumer is at work, or the demo's own does not serve or end as it must.
        BrokerError: there is no broker to be had.
        PersistenceError: there is no database to be had.
    """
    async with _connection(settings.broker) as connection:
        await refuse_company(connection, settings.partitions)
        await asyncio.to_thread(upgrade, settings.database)
        async with (
            open_database(settings.database) as database,
            limits_set(database, limits),
            consumer_process(
                _environment(), settings.shutdown_seconds + _STOP_MARGIN_SECONDS
            ) as consumer,
        ):
            await consumer.serves()
            yield Stage(connection, consumer)


@asynccontextmanager
async def _connection(broker: BrokerAddress) -> AsyncIterator[BrokerConnection]:
    connection = await connect(broker, CONNECTION_NAME)
    try:
        yield connection
    finally:
        await connection.close()


def _environment() -> dict[str, str]:
    """The demo's own, with what the story needs: short waits for slots, a log that can be read."""
    return {
        **os.environ,
        f"{PREFIX}SLOT_DELAY_SECONDS": str(_SLOT_DELAY_SECONDS),
        f"{PREFIX}HTTP_PORT": "0",  # beside a consumer that serves there, perhaps
        f"{PREFIX}LOG_FORMAT": LogFormat.JSON,
        f"{PREFIX}LOG_LEVEL": LogLevel.INFO,
    }
