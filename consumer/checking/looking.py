"""All that can be found out at one look."""

import asyncio
from collections.abc import Mapping

from consumer.checking.broker import check_broker
from consumer.checking.database import check_database
from consumer.checking.environment import check_environment
from consumer.checking.findings import Finding
from consumer.settings import Settings


async def look(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """Look at everything; whatever is away, the rest is there."""
    of_broker, of_database = await asyncio.gather(
        check_broker(settings.broker, settings.partitions),
        check_database(settings.database, settings.partitions),
    )
    return [*check_environment(settings, environment), *of_broker, *of_database]
