"""What is told of messages that are done with: to the log, and to the metrics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from consumer.broker.messages import Delivery
from consumer.health.measures.governing import GoverningMeasures, SentRound
from consumer.topology.names import DEAD_LETTERS, REQUESTS
from consumer.worker.clock import Clock
from consumer.worker.outcomes import Answer, Outcome
from rules.moments import utc_now

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Telling:
    """Logs and counts what became of batches."""

    measures: GoverningMeasures
    clock: Clock = utc_now

    def settled(
        self, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome], taken_at: datetime
    ) -> None:
        """Tell of messages that were governed together, are published about and acknowledged."""
        now = self.clock()
        redelivered = sum(delivery.redelivered for delivery in deliveries)
        self.measures.batch(len(deliveries), redelivered)
        decided: list[Answer] = []
        for outcome in outcomes:
            _log(outcome)
            self._count(outcome)
            answer = outcome.answer
            if answer is not None and not answer.repeated:
                decided.append(answer)
                self._age(outcome, taken_at, now)
        alike = Counter((answer.kind, answer.verdict, answer.code) for answer in decided)
        for (kind, verdict, code), times in alike.items():
            self.measures.decided(kind, verdict, code, times)

    def _count(self, outcome: Outcome) -> None:
        if outcome.envelope.reply_refused:
            self.measures.reply_refused()
        if outcome.answer is not None and outcome.answer.repeated:
            self.measures.repeated()
        if (why := sent_round(outcome)) is not None:
            self.measures.sent_round(why)

    def _age(self, outcome: Outcome, taken_at: datetime, now: datetime) -> None:
        sent_at = outcome.envelope.delivery.properties.timestamp
        if sent_at is not None:
            self.measures.aged(
                (taken_at - sent_at).total_seconds(), (now - sent_at).total_seconds()
            )


def sent_round(outcome: Outcome) -> SentRound | None:
    """Why the request comes again by itself, None where it doesn't."""
    forward = outcome.forward
    if forward is None or forward.exchange == DEAD_LETTERS:
        return None
    if outcome.answer is not None:
        return SentRound.DELAY
    return SentRound.MOVED if forward.exchange == REQUESTS else SentRound.FAILURE


def _log(outcome: Outcome) -> None:
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
