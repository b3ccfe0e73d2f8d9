"""Faults one after the other, those of different sides beside one another."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tests.chaos.chance import generator
from tests.chaos.diary import Diary
from tests.chaos.faults.fault import Fault, Side
from tests.chaos.load.answers import Answers
from tests.chaos.place import Place

_LONGEST_REST_SECONDS = 60.0
_WEIGHT_OF_LONG = 0.2
_BURST = (10, 40)
_BURST_SECONDS = 0.7


class Load(Protocol):
    """What consumers are kept busy with."""

    @property
    def answers(self) -> Answers:
        """What comes back."""

    def start(self, runs: int) -> None:
        """Start so many runs at once."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How long a side rests: so many seconds on average, and for so many answers."""

    seconds: float = 5.0
    answers: int = 60


class Storm:
    """Lets faults strike until there are none left, or it is told to end.

    Each side rests between two of its faults for ``rest``: some seconds, and until so many more
    requests are answered, for a fault should hit what is at work.
    """

    def __init__(self, place: Place, load: Load, seed: int, rest: Rest, diary: Diary) -> None:
        self.struck: Counter[str] = Counter()
        self._place = place
        self._load = load
        self._seed = seed
        self._rest = rest
        self._diary = diary

    async def rage(self, faults: Sequence[Fault], end: asyncio.Event, *, once: bool) -> None:
        """Let each fault strike ``once``, in its side's order; else any of them, until the end."""
        sides = [
            self._side(side, [fault for fault in faults if fault.side is side], end, once=once)
            for side in Side
            if any(fault.side is side for fault in faults)
        ]
        await asyncio.gather(*sides)

    async def _side(
        self, side: Side, faults: Sequence[Fault], end: asyncio.Event, *, once: bool
    ) -> None:
        rng = generator(self._seed, side)
        chosen: Iterable[Fault] = faults if once else _for_ever(faults, rng)
        for fault in chosen:
            await self._take_rest(rng, end)
            if end.is_set():
                return
            await self._keep_busy(rng)
            self._diary.note(fault.name)
            self.struck[fault.name] += 1
            await fault.strike(self._place, rng)
            self._diary.note(f"{fault.name} is over")

    async def _keep_busy(self, rng: Random) -> None:
        """Let the next fault hit consumers at work, somewhere in the middle of it."""
        self._load.start(rng.randrange(*_BURST))
        await asyncio.sleep(rng.uniform(0, _BURST_SECONDS))

    async def _take_rest(self, rng: Random, end: asyncio.Event) -> None:
        resting = asyncio.create_task(self._rest_alone(rng))
        ending = asyncio.create_task(end.wait())
        await asyncio.wait({resting, ending}, return_when=asyncio.FIRST_COMPLETED)
        resting.cancel()
        ending.cancel()
        await asyncio.gather(resting, ending, return_exceptions=True)

    async def _rest_alone(self, rng: Random) -> None:
        await asyncio.sleep(rng.uniform(0, 2 * self._rest.seconds))
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_REST_SECONDS):
                await self._load.answers.more(self._rest.answers)


def _for_ever(faults: Sequence[Fault], rng: Random) -> Iterator[Fault]:
    while True:
        yield rng.choices(faults, [_WEIGHT_OF_LONG if fault.long else 1 for fault in faults])[0]
