"""Quiet moments, at which what is held open can be counted."""

import asyncio
import time

from tests.soak import gauges
from tests.soak.gauges import Readings
from tests.soak.load import Load
from tests.soak.sampler import Sampler

_WIND_DOWN_SECONDS = 600.0
_SETTLE_SECONDS = 90.0
_QUEUES = (
    gauges.REQUESTS_WAITING,
    gauges.LADDER_WAITING,
    gauges.LETTERS_WAITING,
    gauges.DECISIONS_WAITING,
)
_COUNTS = (gauges.CONNECTIONS, gauges.CHANNELS, gauges.SUBSCRIPTIONS)


async def quiet_readings(load: Load, sampler: Sampler) -> Readings:
    """Let the load come to its end, and everything come to rest; then what there is.

    What does not come to rest in time is told as it stands.
    """
    await load.wind_down(_WIND_DOWN_SECONDS)
    until = time.monotonic() + _SETTLE_SECONDS
    before: Readings = {}
    readings = await sampler.everything()
    while not _is_at_rest(before, readings) and time.monotonic() < until:
        await asyncio.sleep(sampler.every)
        before, readings = readings, await sampler.everything()
    return readings


def _is_at_rest(before: Readings, readings: Readings) -> bool:
    """Whether all queues are empty and nothing is being opened or closed."""
    return all(readings.get(column) == 0 for column in _QUEUES) and all(
        column in readings and readings[column] == before.get(column) for column in _COUNTS
    )
