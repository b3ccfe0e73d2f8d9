"""A batch of messages, governed in one transaction, or where that fails, one by one."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import structlog

from consumer.health.measures.storage import StorageMeasures
from consumer.wire.names import Code
from consumer.wire.requests import Reading, Request
from consumer.worker.demands import demand
from consumer.worker.outcomes import Outcome, RequestKey
from consumer.worker.patience import SlowStorageError
from consumer.worker.recording import Forwarding
from consumer.worker.rounds import Router
from consumer.worker.setbacks import Setback, Setbacks, backoff_seconds
from consumer.worker.solitude import Solitude
from consumer.worker.watchdog import no_longer_than
from persistence.begun import BegunCounts
from persistence.database import Database
from persistence.errors import is_duplicate, is_refused
from persistence.session import Session

log = structlog.get_logger(__name__)

Stopped = dict[UUID, int]
"""Runs with a message that goes to the ladder, and for how many seconds: the rest follows it."""


class Governor:
    """Governs batches: in one transaction, else one by one, so that no message spoils another.

    It remembers which delayed requests and dead letters the broker has confirmed until a later
    batch marks them in the database. ``seconds`` is a batch's time limit.
    """

    def __init__(
        self,
        database: Database,
        setbacks: Setbacks,
        router: Router,
        seconds: float,
        measures: StorageMeasures | None = None,
    ) -> None:
        self._database = database
        self._setbacks = setbacks
        self._decider = setbacks.decider
        self._patience = setbacks.patience
        self._router = router
        self._seconds = seconds
        self._measures = measures or StorageMeasures()
        self._confirmed: set[RequestKey] = set()
        self._marking: set[RequestKey] = set()
        self._solitude = Solitude()

    def confirm(self, keys: frozenset[RequestKey]) -> None:
        """Take note of records whose delayed request or dead letter the broker has confirmed."""
        self._confirmed |= keys

    async def mark_confirmed(self) -> None:
        """Mark them in the database now, where no batch is there to do it along the way."""
        if self._confirmed - self._marking:
            await self.govern(())

    async def settle_owed(self) -> None:
        """Put right in the database what could not be while it was away."""
        await self._setbacks.settle_owed()

    async def suspects(self, readings: Sequence[Reading]) -> frozenset[RequestKey]:
        """Those of the redelivered requests that may be what ended a process before.

        They were begun when they had been redelivered already, and were not finished then.
        """
        again = _redelivered(readings)
        return frozenset(await self._setbacks.begun_before(again)) if again else frozenset()

    async def govern(self, readings: Sequence[Reading]) -> list[Outcome]:
        """What becomes of each message, in order; it is committed when this returns.

        That redelivered ones are begun is counted and committed first. Several batches may be
        governed at a time, as long as no run is in two of them.
        """
        again = _redelivered(readings)
        async with self._solitude.together():
            if not again:
                return await self._govern(readings, {})
            counts = await self._setbacks.next_counts(again)
            async with self._begun(counts) as outcomes:
                await self._setbacks.count_begun(counts)
                outcomes.extend(await self._govern(readings, {}))
            return outcomes

    async def govern_alone(self, reading: Reading) -> list[Outcome]:
        """The same for a suspect: one that ends the process each time is condemned by its count.

        Nothing else is governed meanwhile, since it would be counted as begun along with it.
        """
        async with self._solitude.alone():
            return await self._govern_suspect(reading)

    async def _govern_suspect(self, reading: Reading) -> list[Outcome]:
        if not isinstance(reading, Request):
            return await self._govern([reading], {})
        counts = await self._setbacks.next_counts([reading])
        async with self._begun(counts) as outcomes:
            if await self._setbacks.is_condemned(counts):
                condemning = self._setbacks.condemn_unfinished(reading)
                outcomes.append(await self._or_bury(reading, condemning))
            else:
                outcomes.extend(await self._govern([reading], {}))
        return outcomes

    @asynccontextmanager
    async def _begun(self, counts: BegunCounts) -> AsyncIterator[list[Outcome]]:
        """Take back of all that is not decided by the end that it was begun.

        That is so too where the end comes while it is being counted: the process lives, so that
        whatever came of these, it was not its end.
        """
        outcomes: list[Outcome] = []
        try:
            yield outcomes
        finally:
            decided = {
                (outcome.envelope.request_id, outcome.envelope.claimed_attempt)
                for outcome in outcomes
                if outcome.answer is not None
            }
            undecided = {
                key: count
                for key, count in counts.items()
                if (key.request_id, key.attempt) not in decided
            }
            if undecided:
                await self._setbacks.take_back_begun(undecided)

    async def _govern(
        self, readings: Sequence[Reading], stopped: Stopped, *, once_more: bool = False
    ) -> list[Outcome]:
        try:
            results = await self._patience.until_storage_answers(
                lambda: self._transact(readings, stopped)
            )
        except Exception as error:  # whatever it is, a message must not take its neighbours along
            if not readings:
                raise
            log.warning("batch-failed", messages=len(readings), exc_info=error)
            if len(readings) > 1:
                return await self._apart(readings, stopped)
            if isinstance(error, TimeoutError) and self._solitude.is_shared and not once_more:
                # It may have been the batch beside it whose rule let nobody else work.
                return await self._govern(readings, stopped, once_more=True)
            return [await self._or_bury(readings[0], self._dispose(readings[0], stopped, error))]
        outcomes: list[Outcome] = []
        for result in results:
            if isinstance(result, Setback):
                setting_back = self._set_back(result, stopped)
                outcomes.append(await self._or_bury(result.reading, setting_back))
            else:
                outcomes.append(result)
        return outcomes

    async def _apart(self, readings: Sequence[Reading], stopped: Stopped) -> list[Outcome]:
        """Govern one by one."""
        return [
            outcome for reading in readings for outcome in await self._govern([reading], stopped)
        ]

    async def _dispose(self, reading: Reading, stopped: Stopped, error: Exception) -> Outcome:
        if is_refused(error) or is_duplicate(error):
            return await self._setbacks.condemn(reading, Code.NOT_WRITTEN, error)
        if not isinstance(reading, Request):
            return await self._setbacks.condemn(reading, Code.FAILED, error)
        return await self._set_back(Setback(reading=reading, error=error), stopped)

    async def _or_bury(self, reading: Reading, disposing: Awaitable[Outcome]) -> Outcome:
        """What comes of a message that can't be governed: at the least, a dead letter."""
        try:
            return await disposing
        except Exception as fault:  # ours: it must not come again with the message, for ever
            log.exception("message-buried", request_id=reading.envelope.request_id)
            return self._setbacks.bury(reading, fault)

    async def _transact(
        self, readings: Sequence[Reading], stopped: Stopped
    ) -> list[Outcome | Setback]:
        with self._to_be_marked() as marking:
            return await self._decide_all(readings, stopped, marking)

    @contextmanager
    def _to_be_marked(self) -> Iterator[frozenset[RequestKey]]:
        """Confirmed records for one transaction to mark, and no other beside it.

        They are forgotten where the block, and so the transaction, ends well.
        """
        marking = frozenset(self._confirmed - self._marking)
        self._marking |= marking
        try:
            yield marking
            self._confirmed -= marking
        finally:
            self._marking -= marking

    async def _decide_all(
        self, readings: Sequence[Reading], stopped: Stopped, marking: frozenset[RequestKey]
    ) -> list[Outcome | Setback]:
        forwarding = Forwarding(confirmed=frozenset(self._confirmed))
        held_up = set(stopped)
        results: list[Outcome | Setback] = []
        rules_at_work = False
        begun_at = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._database.session([demand(reading) for reading in readings]) as session,
            ):
                session.mark_forwarded(sorted(marking))
                rules_at_work = True
                rules_began_at = time.perf_counter()
                with no_longer_than(self._seconds):
                    for reading in readings:
                        result = await self._decide(session, reading, forwarding, held_up)
                        results.append(result)
                await session.write_rules_sql()
                rules_at_work = False
                rules_seconds = time.perf_counter() - rules_began_at
        except TimeoutError as error:
            if rules_at_work:
                raise
            raise SlowStorageError(self._seconds) from error
        seconds = time.perf_counter() - begun_at
        self._measures.committed(seconds - rules_seconds, rules_seconds)
        return results

    async def _decide(
        self, session: Session, reading: Reading, forwarding: Forwarding, held_up: set[UUID]
    ) -> Outcome | Setback:
        if isinstance(reading, Request) and reading.run_id in held_up:
            return Setback(reading=reading, error=None)
        try:
            return await self._decider.decide(session, reading, forwarding)
        except Exception as error:  # a hook may raise anything; storage's own errors pass on
            if session.is_transient(error) or not isinstance(reading, Request):
                raise
            await session.undo_request()
            log.warning("hook-failed", request_id=reading.request_id, exc_info=error)
            held_up.add(reading.run_id)
            return Setback(reading=reading, error=error)

    async def send_home(self, request: Request) -> Outcome:
        """Send a request that came to another partition than its run's to the right one."""
        await self._setbacks.remember_sender(request)
        forward = self._router.moved(request.envelope, request.run_id)
        return Outcome(envelope=request.envelope, forward=forward)

    async def _set_back(self, setback: Setback, stopped: Stopped) -> Outcome:
        """Send a message to the ladder, or where it failed too often, to the dead letters."""
        request, error = setback.reading, setback.error
        if error is None and request.run_id not in stopped:
            return (await self._govern([request], stopped))[0]  # the one before was aborted
        if error is None:
            failures = 0
            await self._setbacks.remember_sender(request)
        else:
            counted = await self._setbacks.count_failure(request)
            if counted is None:
                return await self._setbacks.condemn(request, Code.FAILED, error)
            failures = counted
            stopped[request.run_id] = backoff_seconds(failures)
        return Outcome(
            envelope=request.envelope,
            forward=self._router.round(
                request.envelope,
                request.run_id,
                seconds=stopped[request.run_id],
                attempt=request.envelope.claimed_attempt,
                failures=failures,
            ),
        )


def _redelivered(readings: Sequence[Reading]) -> list[Request]:
    return [
        reading
        for reading in readings
        if isinstance(reading, Request) and reading.envelope.delivery.redelivered
    ]
