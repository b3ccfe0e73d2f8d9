"""Faults of consumer processes."""

import signal
from random import Random

from tests.chaos.faults.fault import Fault, Side, last
from tests.chaos.place import Place


async def _kill(place: Place, rng: Random) -> None:
    place.fleet.one(rng).send(signal.SIGKILL)


async def _kill_all(place: Place, _: Random) -> None:
    for post in place.fleet.posts:
        post.send(signal.SIGKILL)


async def _stop(place: Place, rng: Random) -> None:
    place.fleet.one(rng).stop()


async def _freeze(place: Place, rng: Random) -> None:
    post = place.fleet.one(rng)
    post.send(signal.SIGSTOP)
    try:
        await last(rng, 1, 6)
    finally:
        post.send(signal.SIGCONT)


async def _freeze_long(place: Place, rng: Random) -> None:
    """For longer than an event loop may stand still."""
    post = place.fleet.one(rng)
    post.send(signal.SIGSTOP)
    try:
        await last(rng, 16, 25)
    finally:
        post.send(signal.SIGCONT)


FAULTS = (
    Fault("kill-consumer", Side.CONSUMERS, _kill),
    Fault("kill-all-consumers", Side.CONSUMERS, _kill_all),
    Fault("stop-consumer", Side.CONSUMERS, _stop),
    Fault("freeze-consumer", Side.CONSUMERS, _freeze),
    Fault("long-freeze-consumer", Side.CONSUMERS, _freeze_long, long=True),
)
