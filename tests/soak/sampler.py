"""Taking samples all the time, some things often and others seldom."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.soak.gauges import Gauge, Readings, read_all
from tests.soak.samples import AT, SampleFile, Samples

_SECONDS_TO_READ = 4.0
_SECONDS_TO_READ_SLOWLY = 60.0


@dataclass(slots=True)
class Sampler:
    """Writes what the gauges tell; the ``slow`` ones cost too much to be asked often.

    ``every`` and ``slowly`` are the seconds between two readings.
    """

    gauges: Sequence[Gauge]
    slow: Sequence[Gauge]
    file: SampleFile
    every: float
    slowly: float
    clock: Callable[[], float] = time.monotonic
    samples: Samples = field(default_factory=Samples)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _slow_turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Sample until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat(self._sample, self.every))
            group.create_task(_repeat(self._sample_slowly, self.slowly))

    async def everything(self) -> Readings:
        """All readings of one moment, which are samples too."""
        return {**await self._sample(), **await self._sample_slowly()}

    async def _sample(self) -> Readings:
        async with self._turn:
            return self._keep(await read_all(self.gauges, _SECONDS_TO_READ))

    async def _sample_slowly(self) -> Readings:
        async with self._slow_turn:
            return self._keep(await read_all(self.slow, _SECONDS_TO_READ_SLOWLY))

    def _keep(self, readings: Readings) -> Readings:
        row = {AT: self.clock(), **readings}
        self.samples.rows.append(row)
        self.file.write(row)
        return readings


async def _repeat(sample: Callable[[], Awaitable[object]], seconds: float) -> None:
    while True:
        await sample()
        await asyncio.sleep(seconds)
