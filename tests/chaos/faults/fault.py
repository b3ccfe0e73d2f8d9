"""What a fault is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.chaos.place import Place


class Side(StrEnum):
    """What a fault hits; of one side there is one fault at a time."""

    CONSUMERS = "consumers"
    BROKER = "broker"
    DATABASE = "database"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong for a while; ``strike`` comes back when it is healed.

    One that is ``long`` takes more than a minute, so that the short form of the suite has none.
    """

    name: str
    side: Side
    strike: Callable[[Place, Random], Awaitable[None]]
    long: bool = False


async def last(rng: Random, least: float, most: float) -> None:
    """Let a fault last for some seconds."""
    await asyncio.sleep(rng.uniform(least, most))
