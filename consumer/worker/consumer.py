"""The consumer: connects, serves, and connects again for as long as it is wanted."""

import asyncio
import math
import random
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.direct_replies import AnswerPublisher, DirectReplies
from consumer.broker.errors import BrokerError
from consumer.broker.intake import Intake, Source
from consumer.broker.lasting_publisher import LastingPublisher
from consumer.dead_letters.filling import LETTERS_PREFETCH, Filling
from consumer.health.metrics import Metrics
from consumer.health.readiness import Obstacle
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.names import DEAD_LETTERS, partition_queue
from consumer.wire.reading import RequestReader
from consumer.worker.dispatching import Dispatcher
from consumer.worker.governing import Governor
from consumer.worker.lookout import Lookout, PausedTooLongError
from consumer.worker.patience import growing_wait
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.rounds import Router
from consumer.worker.serving import Service
from consumer.worker.telling import Telling

log = structlog.get_logger(__name__)

T = TypeVar("T")

_LASTING_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What is consumed, and how much of it at a time; ``prefetch`` is per partition."""

    broker: BrokerAddress
    name: str
    partitions: int
    prefetch: int
    batch_size: int
    batches_in_flight: int


@dataclass(frozen=True, slots=True)
class Line:
    """What stands while a consumer is connected: a service, and the letters beside it.

    What these are answered with has channels of its own, so that neither waits for the other.
    """

    service: Service
    letters: Intake
    answers: OutcomePublisher

    async def close(self) -> None:
        """Give back what is not acknowledged; the channels close with all that they hold."""
        await self.letters.close()
        await self.service.intake.close()


@dataclass(frozen=True, slots=True)
class Consumer:
    """Governs all that comes to its partitions' queues."""

    consumption: Consumption
    filling: Filling
    governor: Governor
    reader: RequestReader
    router: Router
    lookout: Lookout
    metrics: Metrics

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until stopped; a connection lost on the way is replaced, however long it takes.

        Raises:
            BrokerError: there was no broker, or it refused us, at the very first.
        """
        served, waits = False, 0
        while not stop.is_set():
            since = math.inf
            try:
                async with AsyncExitStack() as open_things:
                    line = await _unless_stopped(stop, self._open(open_things))
                    if line is None:
                        return
                    served, since = True, time.monotonic()
                    self.lookout.readiness.clear(Obstacle.BROKER)
                    log.info("consuming", partitions=self.consumption.partitions)
                    await self._serve(line, stop)
            except BrokerError as error:
                if not served:
                    raise
                # One that did not last is no success: what was in flight came again for nothing.
                waits = 1 if time.monotonic() - since > _LASTING_SECONDS else waits + 1
                self.lookout.readiness.hinder(Obstacle.BROKER, str(error))
                log.warning("broker-away", error=str(error), tries=waits)
                await _pause(stop, growing_wait(waits))
            except PausedTooLongError as error:
                log.warning("consuming-suspended", by=error.obstacle.value)

    async def _serve(self, line: Line, stop: asyncio.Event) -> None:
        """Serve the partitions and fill in dead letters beside it, until stopped or one fails."""
        tasks: set[asyncio.Task[None]] = {
            asyncio.create_task(line.service.serve(stop)),
            asyncio.create_task(self.filling.fill_in(line.letters, line.answers)),
            asyncio.create_task(self.lookout.watch(line.service.publisher)),
        }
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        try:
            for task in ended:
                task.result()
        except PausedTooLongError:
            await line.close()
            raise
        await line.close()

    async def _open(self, open_things: AsyncExitStack) -> Line:
        """Connect, see that both sides can be worked with, and only then consume.

        There are two connections, since a broker that blocks publishers stops reading from them.
        """
        wanted = self.consumption
        await self.lookout.until_usable()
        await self.governor.settle_owed()
        publishing = await self._connect(open_things, "publishes")
        await declare(publishing, describe(wanted.partitions))
        forwards = await LastingPublisher.open(publishing)
        await self.lookout.until_published(forwards)
        publisher = await self._publisher(open_things, publishing, forwards)
        answers = await self._publisher(
            open_things, publishing, await LastingPublisher.open(publishing)
        )
        consuming = await self._connect(open_things, "consumes")
        letters = await Intake.open(consuming, [Source(DEAD_LETTERS)], prefetch=LETTERS_PREFETCH)
        sources = [
            Source(partition_queue(partition), partition) for partition in range(wanted.partitions)
        ]
        intake = await Intake.open(consuming, sources, prefetch=wanted.prefetch)
        service = Service(
            intake,
            Dispatcher(intake, self.reader, wanted.batch_size),
            self.governor,
            self.router,
            publisher,
            wanted.batches_in_flight,
            Telling(self.metrics.governing),
        )
        return Line(service, letters, answers)

    async def _publisher(
        self, open_things: AsyncExitStack, publishing: BrokerConnection, forwards: LastingPublisher
    ) -> OutcomePublisher:
        name = f"{self.consumption.name} answers"
        direct = DirectReplies(partial(connect, self.consumption.broker, name))
        open_things.push_async_callback(direct.close)
        decisions = AnswerPublisher(await LastingPublisher.open(publishing), direct)
        return OutcomePublisher(forwards, decisions, self.metrics.publishing)

    async def _connect(self, open_things: AsyncExitStack, role: str) -> BrokerConnection:
        connection = await connect(self.consumption.broker, f"{self.consumption.name} {role}")
        open_things.push_async_callback(connection.close)
        return connection


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Do the work and give what comes of it, or when stopped first, give it up for None."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, unless stopped."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds * random.uniform(0.5, 1)):  # noqa: S311 - jitter
            await stop.wait()
