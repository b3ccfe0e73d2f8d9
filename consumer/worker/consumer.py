"""The consumer: connects, serves, and connects again for as long as it is wanted."""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.direct_replies import AnswerPublisher, DirectReplies
from consumer.broker.errors import BrokerError
from consumer.broker.intake import Intake, Source
from consumer.broker.publisher import Publisher
from consumer.dead_letters.filling import LETTERS_PREFETCH, fill_in
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.names import DEAD_LETTERS, partition_queue
from consumer.wire.reading import RequestReader
from consumer.worker.governing import Governor
from consumer.worker.patience import growing_wait
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.rounds import Router
from consumer.worker.serving import Service
from persistence.database import Database

log = structlog.get_logger(__name__)

_LASTING_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What is consumed, and how much of it at a time; ``prefetch`` is per partition."""

    amqp_url: str
    name: str
    partitions: int
    prefetch: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class Consumer:
    """Governs all that comes to its partitions' queues."""

    consumption: Consumption
    database: Database
    governor: Governor
    reader: RequestReader
    router: Router

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until stopped; a connection lost on the way is replaced, however long it takes.

        Raises:
            BrokerError: there was no broker, or it refused us, at the very first.
        """
        served, waits = False, 0
        while not stop.is_set():
            since = math.inf
            try:
                async with self._service() as (service, letters):
                    served, since = True, time.monotonic()
                    log.info("consuming", partitions=self.consumption.partitions)
                    await self._serve(service, letters, stop)
            except BrokerError as error:
                if not served:
                    raise
                # One that did not last is no success: what was in flight came again for nothing.
                waits = 1 if time.monotonic() - since > _LASTING_SECONDS else waits + 1
                log.warning("broker-away", error=str(error), tries=waits)
                await _pause(stop, growing_wait(waits))

    async def _serve(self, service: Service, filling: Intake, stop: asyncio.Event) -> None:
        """Serve the partitions and fill in dead letters beside it, until stopped or one fails."""
        tasks = {
            asyncio.create_task(service.serve(stop)),
            asyncio.create_task(fill_in(self.database, filling, self.reader)),
        }
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()

    @asynccontextmanager
    async def _service(self) -> AsyncIterator[tuple[Service, Intake]]:
        """Two connections, since a broker that blocks publishers stops reading from them."""
        wanted = self.consumption
        async with AsyncExitStack() as open_things:
            publishing = await self._connect(open_things, "publishes")
            await declare(publishing, describe(wanted.partitions))
            consuming = await self._connect(open_things, "consumes")
            sources = [
                Source(partition_queue(partition), partition)
                for partition in range(wanted.partitions)
            ]
            direct = DirectReplies(partial(connect, wanted.amqp_url, f"{wanted.name} answers"))
            open_things.push_async_callback(direct.close)
            publisher = OutcomePublisher(
                forwards=await Publisher.open(publishing),
                decisions=AnswerPublisher(await Publisher.open(publishing), direct),
            )
            letters = await Intake.open(
                consuming, [Source(DEAD_LETTERS)], prefetch=LETTERS_PREFETCH
            )
            intake = await Intake.open(consuming, sources, prefetch=wanted.prefetch)
            yield (
                Service(
                    intake, self.reader, self.governor, self.router, publisher, wanted.batch_size
                ),
                letters,
            )
            await letters.close()
            await intake.close()

    async def _connect(self, open_things: AsyncExitStack, role: str) -> BrokerConnection:
        connection = await connect(self.consumption.amqp_url, f"{self.consumption.name} {role}")
        open_things.push_async_callback(connection.close)
        return connection


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, unless stopped."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds * random.uniform(0.5, 1)):  # noqa: S311 - jitter
            await stop.wait()
