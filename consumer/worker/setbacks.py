"""Messages that could not be governed: counted, tried again later, and in the end condemned."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from consumer.dead_letters.letters import DeathCause
from consumer.wire.names import Code
from consumer.wire.requests import Reading, Request
from consumer.worker.clock import Clock
from consumer.worker.deciding import Decider
from consumer.worker.demands import demand
from consumer.worker.outcomes import Outcome
from consumer.worker.patience import Patience
from consumer.worker.recording import Forwarding
from persistence.begun import (
    BegunCounts,
    BegunKey,
    begun_before,
    count_begun,
    count_failure,
    remember_sender,
    uncount_begun,
)
from persistence.database import Database
from persistence.records import RequestKey

log = structlog.get_logger(__name__)

CONDEMNED_AT = 3
_LONGEST_BACKOFF_SECONDS = 3_600
_TAKE_BACK_SECONDS = 2.0


class UnfinishedError(Exception):
    """A message was begun again and again, and each time the process ended before it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """A message that could not be governed.

    ``error`` says why, None for one that only follows another of its run, so as not to overtake
    it.
    """

    reading: Request
    error: Exception | None


def backoff_seconds(failures: int) -> int:
    """How long a message waits after so many failures: 1, 2, 4 … seconds, an hour at most."""
    return int(min(2 ** (failures - 1), _LONGEST_BACKOFF_SECONDS))


@dataclass(frozen=True, slots=True)
class Setbacks:
    """Counts begun and failed attempts, each in a transaction of its own, and passes sentence."""

    database: Database
    decider: Decider
    patience: Patience
    max_failures: int
    clock: Clock
    owed: dict[BegunKey, int] = field(default_factory=dict)

    async def remember_sender(self, request: Request) -> None:
        """Keep the user that the broker checked, which the request loses when it goes round."""
        if request.envelope.user_id is not None and request.body.force:
            await self.patience.until_storage_answers(
                lambda: remember_sender(self.database, _key(request), self.clock())
            )

    async def count_failure(self, request: Request) -> int | None:
        """Count a failure and tell how many there were, None where the request is condemned."""
        begun = await self.patience.until_storage_answers(
            lambda: count_failure(self.database, _key(request), self.clock())
        )
        if begun.failures > self.max_failures:
            return None
        return begun.failures

    async def begun_before(self, requests: Sequence[Request]) -> Mapping[RequestKey, int]:
        """Those of these redelivered requests that were begun before, and how often."""
        keys = [attempt_of(request) for request in requests]
        return await self.patience.until_storage_answers(lambda: begun_before(self.database, keys))

    async def next_counts(self, requests: Sequence[Request]) -> BegunCounts:
        """For how many times these redelivered requests are begun now; nothing is counted yet."""
        before = await self.begun_before(requests)
        once = {attempt_of(request): _key(request) for request in requests}
        return {key: before.get(attempt, 0) + 1 for attempt, key in once.items()}

    async def count_begun(self, counts: BegunCounts) -> None:
        """Count that requests are begun."""
        await self.patience.until_storage_answers(
            lambda: count_begun(self.database, counts, self.clock())
        )

    async def is_condemned(self, counts: BegunCounts) -> bool:
        """Count that a suspect is begun: is it once too often?"""
        await self.count_begun(counts)
        return max(counts.values()) >= CONDEMNED_AT

    async def take_back_begun(self, counts: BegunCounts) -> None:
        """Take back that requests were begun, now or else when ``settle_owed`` is called."""
        self.owed.update(counts)
        taking_back = asyncio.ensure_future(self._take_back(counts))
        await asyncio.wait({taking_back}, timeout=_TAKE_BACK_SECONDS)
        if taking_back.cancel() or taking_back.exception() is not None:
            log.warning("begun-not-taken-back", requests=len(counts))

    async def settle_owed(self) -> None:
        """Take back what could not be taken back at its time, since storage was away then."""
        if self.owed:
            await self.patience.until_storage_answers(partial(self._take_back, dict(self.owed)))

    async def _take_back(self, counts: BegunCounts) -> None:
        await uncount_begun(self.database, counts, self.clock())
        for key in counts:
            self.owed.pop(key, None)

    async def condemn_unfinished(self, request: Request) -> Outcome:
        """Abort a request that ended the process each time it was begun."""
        error = UnfinishedError(
            f"begun {CONDEMNED_AT} times, and each time the process ended before it was done"
        )
        return await self.condemn(request, Code.FAILED, error)

    def bury(self, reading: Reading, error: Exception) -> Outcome:
        """A dead letter without a decision: the last resort for what can't even be condemned."""
        envelope = reading.envelope
        letter = self.decider.answering.letters.letter(
            envelope,
            DeathCause.of(Code.FAILED, error),
            attempt=envelope.claimed_attempt,
            at=self.clock(),
        )
        return Outcome(envelope=envelope, forward=letter)

    async def condemn(self, reading: Reading, code: Code, error: Exception) -> Outcome:
        """Abort a message in a transaction of its own, without any rule, into the dead letters."""
        return await self.patience.until_storage_answers(
            lambda: self._condemn(reading, DeathCause.of(code, error))
        )

    async def _condemn(self, reading: Reading, cause: DeathCause) -> Outcome:
        async with self.database.session([demand(reading, creating=False)]) as session:
            return await self.decider.decide(session, reading, Forwarding(), condemned=cause)


def attempt_of(request: Request) -> RequestKey:
    """Under which request id and attempt a request is counted: those that it claims."""
    return request.request_id, request.envelope.claimed_attempt


def _key(request: Request) -> BegunKey:
    envelope = request.envelope
    return BegunKey(
        request_id=request.request_id,
        attempt=envelope.claimed_attempt,
        run_id=request.run_id,
        body_sha256=envelope.digest,
        user_id=envelope.user_id,
    )
