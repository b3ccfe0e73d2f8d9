"""Which messages are governed together, and which at the same time: no run is in two batches."""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

from consumer.broker.intake import Intake
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Reading, Request

Subject = UUID | str | None
"""What a message is about: its run, or where it can't be read, its request id if it has one."""


class Dispatcher:
    """Hands out batches, several of which may be in flight, and each run's messages in order.

    A message whose run is in a batch that is in flight is held back, and all behind it that are
    about the same run. What is held back is bounded by the prefetch.
    """

    def __init__(self, intake: Intake, reader: RequestReader, batch_size: int) -> None:
        self._intake = intake
        self._reader = reader
        self._batch_size = batch_size
        self._waiting: deque[Reading] = deque()
        self._in_flight: set[Subject] = set()
        self._landed = asyncio.Event()

    async def next_batch(self) -> list[Reading]:
        """What is there and not held back, in order, at most ``batch_size``; at least one message.

        It is in flight from now on. The wait may be cancelled; nothing is lost by that.

        Raises:
            BrokerConnectionLost: the intake is dead.
        """
        while not (batch := self._choose()):
            await self._wait()
        return batch

    def land(self, batch: Sequence[Reading]) -> None:
        """Hold nothing back any more for the sake of this batch."""
        self._in_flight.difference_update(map(subject_of, batch))
        self._landed.set()

    async def _wait(self) -> None:
        """Wait for messages, or until some are held back no longer.

        The messages are not taken yet. Between their coming and the end of this wait another batch
        may be chosen, and what one had taken here would then come after what came later.
        """
        self._landed.clear()
        coming = asyncio.ensure_future(self._intake.arrival())
        landed = asyncio.ensure_future(self._landed.wait())
        try:
            await asyncio.wait({coming, landed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            coming.cancel()
            landed.cancel()

    def _choose(self) -> list[Reading]:
        """Take what is there, and out of all that waits, from its beginning, what may go now."""
        deliveries = self._intake.take(self._batch_size)
        self._waiting.extend(self._reader.read(delivery) for delivery in deliveries)
        chosen: list[Reading] = []
        held_back: list[Reading] = []
        waiting = self._waiting
        while waiting and len(chosen) < self._batch_size:
            reading = waiting.popleft()
            held = subject_of(reading) in self._in_flight
            (held_back if held else chosen).append(reading)
        waiting.extendleft(reversed(held_back))
        self._in_flight.update(map(subject_of, chosen))
        self._in_flight.discard(None)
        return chosen


def subject_of(reading: Reading) -> Subject:
    """What must not be in two batches at a time; None for what is like nothing else."""
    return reading.run_id if isinstance(reading, Request) else reading.envelope.request_id
