"""Serving the partitions over one pair of connections: batches side by side, until the end."""

import asyncio
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from consumer.broker.intake import Intake
from consumer.wire.requests import Reading, Request
from consumer.worker.dispatching import Dispatcher
from consumer.worker.governing import Governor
from consumer.worker.outcomes import Outcome, RequestKey
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.rounds import Router
from consumer.worker.setbacks import attempt_of
from consumer.worker.telling import Telling

_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """Takes what is there, governs it, publishes what was decided, then acknowledges.

    The order is the promise: whatever ends the process, what was not acknowledged comes again,
    and finds on record what had been decided. While one batch waits for the database or the
    broker, another is at work; no run is in both.
    """

    intake: Intake
    dispatcher: Dispatcher
    governor: Governor
    router: Router
    publisher: OutcomePublisher
    batches_in_flight: int
    telling: Telling

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until stopped; what was begun by then is finished and acknowledged.

        Raises:
            BrokerError: a connection is lost, or the broker would not keep what must be kept.
        """
        stopping = asyncio.create_task(stop.wait())
        flights = [
            asyncio.create_task(self._serve_batches(stopping))
            for _ in range(self.batches_in_flight)
        ]
        try:
            await asyncio.gather(*flights)
        finally:
            for each in (stopping, *flights):
                each.cancel()
            await asyncio.gather(*flights, return_exceptions=True)
        await self.governor.mark_confirmed()

    async def _serve_batches(self, stopping: "asyncio.Task[bool]") -> None:
        """One batch after the other."""
        while not stopping.done():
            batch = await self._next_batch(stopping)
            with self.telling.measures.in_flight(len(batch)):
                await self._process(batch, self.telling.clock())
            self.dispatcher.land(batch)

    async def _next_batch(self, stopping: "asyncio.Task[bool]") -> list[Reading]:
        """What is there; after an idle moment, or when stopped, nothing."""
        coming = asyncio.create_task(self.dispatcher.next_batch())
        try:
            await asyncio.wait(
                {coming, stopping}, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if coming.done():
                return coming.result()
        finally:
            coming.cancel()
        if not stopping.done():
            await self.governor.mark_confirmed()
        return []

    async def _process(self, readings: Sequence[Reading], taken_at: datetime) -> None:
        suspects = await self.governor.suspects(readings)
        for portion in portions(readings, suspects):
            outcomes = await self._govern(portion)
            self.governor.confirm(await self.publisher.publish(outcomes))
            settled = [reading.envelope.delivery for reading in portion.readings]
            await self.intake.settle(settled)
            self.telling.settled(settled, outcomes, taken_at)

    async def _govern(self, portion: "Portion") -> list[Outcome]:
        outcomes: list[Outcome] = []
        readings: list[Reading] = []
        for reading in portion.readings:
            if isinstance(reading, Request) and self._is_lost(reading):
                outcomes.append(await self.governor.send_home(reading))
            else:
                readings.append(reading)
        if not readings:
            return outcomes
        if portion.suspect is None:
            return outcomes + await self.governor.govern(readings)
        return await self.governor.govern_alone(portion.suspect)

    def _is_lost(self, request: Request) -> bool:
        return self.router.is_elsewhere(request.envelope.delivery.partition, request.run_id)


@dataclass(frozen=True, slots=True)
class Portion:
    """Messages that are governed together, or the one ``suspect`` that is governed alone."""

    readings: Sequence[Reading]
    suspect: Request | None = None


def portions(readings: Sequence[Reading], suspects: AbstractSet[RequestKey]) -> Iterator[Portion]:
    """The batch in order, each suspect by itself and the others together."""
    start = 0
    for index, reading in enumerate(readings):
        if isinstance(reading, Request) and attempt_of(reading) in suspects:
            if start < index:
                yield Portion(readings[start:index])
            yield Portion([reading], suspect=reading)
            start = index + 1
    if start < len(readings):
        yield Portion(readings[start:])
