"""What is measured, and the reading of it; what can't be read just now is left out."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, Protocol

Readings = Mapping[str, float]
"""Columns and their values."""

CONNECTIONS: Final = "broker_connections"
CHANNELS: Final = "broker_channels"
SUBSCRIPTIONS: Final = "broker_subscriptions"
BROKER_MEMORY: Final = "broker_memory"
REQUESTS_WAITING: Final = "queue_requests"
LADDER_WAITING: Final = "queue_ladder"
LETTERS_WAITING: Final = "queue_dead_letters"
DECISIONS_WAITING: Final = "queue_decisions"
SESSIONS: Final = "database_sessions"
DATABASE_BYTES: Final = "database_bytes"
ROWS: Final = "rows_"
SENT: Final = "sent"
CONFIRMED: Final = "confirmed"
DECIDED: Final = "decided"
REPEATED: Final = "repeated"
PENDING: Final = "pending"
P50: Final = "p50_seconds"
P99: Final = "p99_seconds"

USS: Final = "uss"
RSS: Final = "rss"
HANDLES: Final = "handles"
PLAIN_HANDLES: Final = "plain_handles"
THREADS: Final = "threads"
CPU_SECONDS: Final = "cpu_seconds"
METRIC_SERIES: Final = "metric_series"
READY: Final = "ready"


def of_consumer(column: str, number: int) -> str:
    """The column of one consumer; they count from 1."""
    return f"{column}_{number}"


class Gauge(Protocol):
    """Something that can be read."""

    async def read(self) -> Readings:
        """The readings of the moment."""


async def read_all(gauges: Sequence[Gauge], seconds: float) -> dict[str, float]:
    """All readings that could be had within so many seconds."""
    readings: dict[str, float] = {}
    for found in await asyncio.gather(*(_read(gauge.read(), seconds) for gauge in gauges)):
        readings |= found
    return readings


async def _read(reading: Awaitable[Readings], seconds: float) -> Readings:
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError:
        return {}
