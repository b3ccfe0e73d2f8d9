"""Faults of the broker, which hit producers and subscribers as well."""

import asyncio
from random import Random

from tests.chaos.faults.fault import Fault, Side, last
from tests.chaos.place import Place

_NORMAL_WATERMARK = "0.4"
_ALWAYS_EXCEEDED = "0.000001"


async def _close_connections(place: Place, _: Random) -> None:
    arguments = ("close_all_connections", "--vhost", place.vhost, "as a test")
    await asyncio.to_thread(place.broker.run_ctl, *arguments)


async def _restart(place: Place, rng: Random) -> None:
    await asyncio.to_thread(place.broker.stop)
    await last(rng, 0, 3)
    await asyncio.to_thread(place.broker.start_again)


async def _kill(place: Place, rng: Random) -> None:
    await asyncio.to_thread(place.broker.kill)
    await last(rng, 0, 3)
    await asyncio.to_thread(place.broker.start_again)


async def _freeze(place: Place, rng: Random) -> None:
    """For less or more than a heartbeat takes to be missed."""
    await asyncio.to_thread(place.broker.pause)
    try:
        await last(rng, 1, 15)
    finally:
        await asyncio.to_thread(place.broker.unpause)


async def _memory_alarm(place: Place, rng: Random) -> None:
    """Publishers are blocked while it lasts."""
    await asyncio.to_thread(_set_watermark, place, _ALWAYS_EXCEEDED)
    try:
        await last(rng, 2, 10)
    finally:
        await asyncio.to_thread(_set_watermark, place, _NORMAL_WATERMARK)


async def _long_memory_alarm(place: Place, rng: Random) -> None:
    """For longer than a publish may take, and than consumers keep messages."""
    await asyncio.to_thread(_set_watermark, place, _ALWAYS_EXCEEDED)
    try:
        await last(rng, 35, 80)
    finally:
        await asyncio.to_thread(_set_watermark, place, _NORMAL_WATERMARK)


def _set_watermark(place: Place, fraction: str) -> None:
    place.broker.run_ctl("set_vm_memory_high_watermark", fraction)


FAULTS = (
    Fault("close-connections", Side.BROKER, _close_connections),
    Fault("restart-broker", Side.BROKER, _restart),
    Fault("kill-broker", Side.BROKER, _kill),
    Fault("freeze-broker", Side.BROKER, _freeze),
    Fault("memory-alarm", Side.BROKER, _memory_alarm),
    Fault("long-memory-alarm", Side.BROKER, _long_memory_alarm, long=True),
)
