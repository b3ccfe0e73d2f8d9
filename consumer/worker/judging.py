"""Requests that the broker made dead letters of: nobody has decided them, so that is done now."""

from dataclasses import dataclass, replace

import structlog

from consumer.dead_letters.letters import DeathCause
from consumer.wire.names import Code
from consumer.wire.requests import Reading
from consumer.worker.checks import standing
from consumer.worker.deciding import Decider
from consumer.worker.outcomes import Outcome
from consumer.worker.recording import Forwarding
from persistence.session import Session

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of such a message.

    ``attempt`` is the one that it is, whatever it claims. ``was_decided``: nothing is left to do
    about it but to publish once more what was decided.
    """

    outcome: Outcome
    attempt: int
    was_decided: bool


@dataclass(frozen=True, slots=True)
class Judge:
    """Finds what was decided on a request, or aborts it, without any rule."""

    decider: Decider

    async def judge(
        self, session: Session, reading: Reading, forwarding: Forwarding, error: Exception
    ) -> Judgement:
        """Judge one message inside a transaction, in which its letter is to be recorded too.

        That letter is the one of the abort, so none is forwarded for it.
        """
        envelope = reading.envelope
        cause = DeathCause.of(Code.FAILED, error)
        outcome = await self.decider.decide(session, reading, forwarding, condemned=cause)
        answer = outcome.answer
        was_decided = answer is not None and (answer.repeated or not answer.announced)
        log.warning(
            "undelivered",
            request_id=envelope.request_id,
            error=cause.error,
            was_decided=was_decided,
        )
        if not was_decided:
            if outcome.forwards is not None:
                session.mark_forwarded([outcome.forwards])
            outcome = replace(outcome, forward=None, forwards=None)
        attempt = 0 if envelope.request_id is None else standing(session, envelope).attempt
        return Judgement(outcome=outcome, attempt=attempt, was_decided=was_decided)
