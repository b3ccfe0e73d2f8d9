"""Serving the partitions over one pair of connections: batch by batch, until stopped or lost."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from consumer.broker.intake import Intake
from consumer.broker.messages import Delivery
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Reading, Request
from consumer.worker.governing import Governor
from consumer.worker.outcomes import Outcome
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.rounds import Router

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """Takes what is there, governs it, publishes what was decided, then acknowledges.

    The order is the promise: whatever ends the process, what was not acknowledged comes again,
    and finds on record what had been decided.
    """

    intake: Intake
    reader: RequestReader
    governor: Governor
    router: Router
    publisher: OutcomePublisher
    batch_size: int

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until stopped; what was begun by then is finished and acknowledged.

        Raises:
            BrokerError: a connection is lost, or the broker would not keep what must be kept.
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                for portion in portions(await self._next_batch(stopping)):
                    await self._process(portion)
        finally:
            stopping.cancel()
        await self.governor.mark_confirmed()

    async def _next_batch(self, stopping: "asyncio.Task[bool]") -> list[Delivery]:
        """What is there; after an idle moment, or when stopped, nothing."""
        coming = asyncio.create_task(self.intake.next_batch(self.batch_size))
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

    async def _process(self, deliveries: Sequence[Delivery]) -> None:
        outcomes: list[Outcome] = []
        readings: list[Reading] = []
        for delivery in deliveries:
            reading = self.reader.read(delivery)
            if isinstance(reading, Request) and self._is_lost(reading):
                outcomes.append(await self.governor.send_home(reading))
            else:
                readings.append(reading)
        if readings and deliveries[0].redelivered:
            outcomes += await self.governor.govern_alone(readings[0])
        elif readings:
            outcomes += await self.governor.govern(readings)
        self.governor.confirm(await self.publisher.publish(outcomes))
        await self.intake.settle(deliveries)
        for outcome in outcomes:
            _tell(outcome)

    def _is_lost(self, request: Request) -> bool:
        return self.router.is_elsewhere(request.envelope.delivery.partition, request.run_id)


def portions(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """The batch in order, each redelivered message by itself and the others together."""
    start = 0
    for index, delivery in enumerate(deliveries):
        if delivery.redelivered:
            if start < index:
                yield deliveries[start:index]
            yield deliveries[index : index + 1]
            start = index + 1
    if start < len(deliveries):
        yield deliveries[start:]


def _tell(outcome: Outcome) -> None:
    envelope, answer = outcome.envelope, outcome.answer
    if envelope.reply_refused:
        log.warning("reply-to-refused", request_id=envelope.request_id)
    if answer is None:
        forward = outcome.forward
        log.info(
            "sent-round",
            request_id=envelope.request_id,
            exchange=forward.exchange if forward else None,
        )
        return
    log.debug(
        "decided",
        request_id=envelope.request_id,
        run_id=str(answer.run_id) if answer.run_id else None,
        decision=answer.verdict.value,
        code=answer.code,
        repeated=answer.repeated,
    )
