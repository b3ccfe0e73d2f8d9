"""A batch of messages, governed in one transaction, or where that fails, one by one."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from consumer.wire.names import Code
from consumer.wire.requests import Reading, Request
from consumer.worker.deciding import Decider
from consumer.worker.demands import demand
from consumer.worker.outcomes import Outcome, RequestKey
from consumer.worker.patience import SlowStorageError, until_storage_answers
from consumer.worker.recording import Forwarding
from consumer.worker.rounds import Router
from consumer.worker.setbacks import Setback, Setbacks, backoff_seconds
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
        decider: Decider,
        setbacks: Setbacks,
        router: Router,
        seconds: float,
    ) -> None:
        self._database = database
        self._decider = decider
        self._setbacks = setbacks
        self._router = router
        self._seconds = seconds
        self._confirmed: set[RequestKey] = set()

    def confirm(self, keys: frozenset[RequestKey]) -> None:
        """Take note of records whose delayed request or dead letter the broker has confirmed."""
        self._confirmed |= keys

    async def mark_confirmed(self) -> None:
        """Mark them in the database now, where no batch is there to do it along the way."""
        if self._confirmed:
            await self.govern(())

    async def govern(self, readings: Sequence[Reading]) -> list[Outcome]:
        """What becomes of each message, in order; it is committed when this returns."""
        return await self._govern(readings, {})

    async def govern_alone(self, reading: Reading) -> list[Outcome]:
        """The same for a message that came before and was not finished with then.

        That it is begun is counted and committed first: a message that ends the process each time
        is condemned by that count.
        """
        if not isinstance(reading, Request):
            return await self.govern([reading])
        if await self._setbacks.is_condemned(reading):
            return [await self._setbacks.condemn_unfinished(reading)]
        try:
            return await self.govern([reading])
        except BaseException:  # the process lives: whatever ended this, it was not the message
            await self._setbacks.take_back_begun(reading)
            raise

    async def _govern(self, readings: Sequence[Reading], stopped: Stopped) -> list[Outcome]:
        try:
            results = await until_storage_answers(lambda: self._transact(readings, stopped))
        except Exception as error:  # whatever it is, a message must not take its neighbours along
            if not readings:
                raise
            log.warning("batch-failed", messages=len(readings), exc_info=error)
            return await self._apart(readings, stopped, error)
        outcomes: list[Outcome] = []
        for result in results:
            if isinstance(result, Setback):
                outcomes.append(await self._set_back(result, stopped))
            else:
                outcomes.append(result)
        return outcomes

    async def _apart(
        self, readings: Sequence[Reading], stopped: Stopped, error: Exception
    ) -> list[Outcome]:
        """Govern one by one; of a message that fails alone, dispose."""
        if len(readings) > 1:
            return [
                outcome
                for reading in readings
                for outcome in await self._govern([reading], stopped)
            ]
        reading = readings[0]
        try:
            if is_refused(error) or is_duplicate(error):
                return [await self._setbacks.condemn(reading, Code.NOT_WRITTEN, error)]
            if not isinstance(reading, Request):
                return [await self._setbacks.condemn(reading, Code.FAILED, error)]
            return [await self._set_back(Setback(reading=reading, error=error), stopped)]
        except Exception as fault:  # ours: it must not come again with the message, for ever
            log.exception("message-buried", request_id=reading.envelope.request_id)
            return [self._setbacks.bury(reading, fault)]

    async def _transact(
        self, readings: Sequence[Reading], stopped: Stopped
    ) -> list[Outcome | Setback]:
        confirmed = frozenset(self._confirmed)
        forwarding = Forwarding(confirmed=confirmed)
        held_up = set(stopped)
        results: list[Outcome | Setback] = []
        rules_at_work = False
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._database.session([demand(reading) for reading in readings]) as session,
            ):
                session.mark_forwarded(sorted(confirmed))
                rules_at_work = True
                for reading in readings:
                    result = await self._decide(session, reading, forwarding, held_up)
                    results.append(result)
                rules_at_work = False
        except TimeoutError as error:
            if rules_at_work:
                raise
            raise SlowStorageError(self._seconds) from error
        self._confirmed -= confirmed
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
