"""Faults of PostgreSQL."""

import asyncio
from random import Random

from tests.chaos.faults.fault import Fault, Side, last
from tests.chaos.place import Place

_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"


async def _restart(place: Place, rng: Random) -> None:
    await asyncio.to_thread(place.postgres.stop)
    await last(rng, 0, 3)
    await asyncio.to_thread(place.postgres.start_again)


async def _kill(place: Place, rng: Random) -> None:
    await asyncio.to_thread(place.postgres.kill)
    await last(rng, 0, 3)
    await asyncio.to_thread(place.postgres.start_again)


async def _freeze(place: Place, rng: Random) -> None:
    """For less or more than a batch may take."""
    await asyncio.to_thread(place.postgres.pause)
    try:
        await last(rng, 1, 9)
    finally:
        await asyncio.to_thread(place.postgres.unpause)


async def _away(place: Place, rng: Random) -> None:
    """For longer than consumers keep messages for it."""
    await asyncio.to_thread(place.postgres.kill)
    await last(rng, 65, 80)
    await asyncio.to_thread(place.postgres.start_again)


async def _end_sessions(place: Place, rng: Random) -> None:
    for _ in range(rng.randrange(1, 4)):
        await asyncio.to_thread(place.postgres.run_sql, _END_SESSIONS.format(place.database))


FAULTS = (
    Fault("restart-database", Side.DATABASE, _restart),
    Fault("kill-database", Side.DATABASE, _kill),
    Fault("freeze-database", Side.DATABASE, _freeze),
    Fault("end-sessions", Side.DATABASE, _end_sessions),
    Fault("database-away", Side.DATABASE, _away, long=True),
)
