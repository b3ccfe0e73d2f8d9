"""Messages that could not be governed: counted, tried again later, and in the end condemned."""

import asyncio
from dataclasses import dataclass

import structlog

from consumer.dead_letters.letters import DeathCause
from consumer.wire.names import Code
from consumer.wire.requests import Reading, Request
from consumer.worker.clock import Clock
from consumer.worker.deciding import Decider
from consumer.worker.demands import demand
from consumer.worker.outcomes import Outcome
from consumer.worker.patience import until_storage_answers
from consumer.worker.recording import Forwarding
from persistence.begun import (
    BegunKey,
    count_begun,
    count_failure,
    remember_sender,
    uncount_begun,
)
from persistence.database import Database

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
    max_failures: int
    clock: Clock

    async def remember_sender(self, request: Request) -> None:
        """Keep the user that the broker checked, which the request loses when it goes round."""
        if request.envelope.user_id is not None and request.body.force:
            await until_storage_answers(
                lambda: remember_sender(self.database, _key(request), self.clock())
            )

    async def count_failure(self, request: Request) -> int | None:
        """Count a failure and tell how many there were, None where the request is condemned."""
        begun = await until_storage_answers(
            lambda: count_failure(self.database, _key(request), self.clock())
        )
        if begun.failures > self.max_failures:
            return None
        return begun.failures

    async def is_condemned(self, request: Request) -> bool:
        """Count that a redelivered request is begun: is it once too often?"""
        begun = await until_storage_answers(
            lambda: count_begun(self.database, _key(request), self.clock())
        )
        return begun.begun >= CONDEMNED_AT

    async def take_back_begun(self, request: Request) -> None:
        """Take back that a request was begun, as far as that can be done in a moment."""
        taking_back = asyncio.ensure_future(
            uncount_begun(self.database, _key(request), self.clock())
        )
        await asyncio.wait({taking_back}, timeout=_TAKE_BACK_SECONDS)
        if taking_back.cancel() or taking_back.exception() is not None:
            log.warning("begun-not-taken-back", request_id=request.request_id)

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
        return await until_storage_answers(
            lambda: self._condemn(reading, DeathCause.of(code, error))
        )

    async def _condemn(self, reading: Reading, cause: DeathCause) -> Outcome:
        async with self.database.session([demand(reading, creating=False)]) as session:
            return await self.decider.decide(session, reading, Forwarding(), condemned=cause)


def _key(request: Request) -> BegunKey:
    envelope = request.envelope
    return BegunKey(
        request_id=request.request_id,
        attempt=envelope.claimed_attempt,
        run_id=request.run_id,
        body_sha256=envelope.digest,
        user_id=envelope.user_id,
    )
