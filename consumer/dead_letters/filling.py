"""From the dead letters' queue to the table in which they are looked after."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from consumer.broker.intake import Intake
from consumer.broker.messages import Delivery, Properties
from consumer.dead_letters.burial import UNDELIVERED, Burial, burial, reason
from consumer.dead_letters.letters import letter_id
from consumer.health.measures.letters import LetterMeasures
from consumer.wire.names import DeadHeader
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Reading, Request
from consumer.wire.rounds import round_properties
from consumer.worker.demands import demand
from consumer.worker.judging import Judge
from consumer.worker.outcomes import Outcome, RequestKey
from consumer.worker.patience import Patience
from consumer.worker.publishing import OutcomePublisher
from consumer.worker.recording import Forwarding
from persistence.database import Database
from persistence.dead_letters.values import DeadLetter
from persistence.schema import LetterStatus
from persistence.session import Session
from rules.moments import utc_now

LETTERS_PREFETCH = 50  # a letter may be as large as the broker lets a message be
_MANY = 2**31

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Filling:
    """Records letters as they come; those that the broker made are judged in the same transaction.

    The order is that of governing: commit, publish what was decided, then acknowledge.
    """

    database: Database
    reader: RequestReader
    judge: Judge
    patience: Patience
    measures: LetterMeasures = field(default_factory=LetterMeasures)

    async def fill_in(self, intake: Intake, publisher: OutcomePublisher) -> None:
        """Record all that comes; never returns.

        Raises:
            BrokerConnectionLost: the queue can't be read any more, or nothing can be published.
        """
        while True:
            batch = await intake.next_batch(LETTERS_PREFETCH)
            confirmed = await publisher.publish(await self.record(batch))
            if confirmed:
                await self.patience.until_storage_answers(partial(self._mark, confirmed))
            await intake.settle(batch)
            for delivery in batch:
                self.measures.recorded(reason(delivery.properties.headers))

    async def record(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """Record all, or where the database refuses that, each by itself and if need be stripped.

        Whatever stands in a letter, it must not hold up those behind it.

        Returns:
            What is to be published for those that were judged.
        """
        readings = [self.reader.read(delivery) for delivery in deliveries]
        try:
            return await self._transact(readings)
        except Exception as error:  # a letter may hold anything
            log.warning("letters-refused", letters=len(deliveries), exc_info=error)
        return [outcome for reading in readings for outcome in await self._record_alone(reading)]

    async def _record_alone(self, reading: Reading) -> list[Outcome]:
        try:
            return await self._transact([reading])
        except Exception as error:  # likewise
            letter = stripped(found_letter(reading))
            log.warning("letter-stripped", letter_id=letter.letter_id, exc_info=error)
            await self.patience.until_storage_answers(partial(self._keep, letter))
            return []

    async def _transact(self, readings: Sequence[Reading]) -> list[Outcome]:
        return await self.patience.until_storage_answers(partial(self._judge, readings))

    async def _judge(self, readings: Sequence[Reading]) -> list[Outcome]:
        burials = [burial(reading.envelope.delivery.properties.headers) for reading in readings]
        demands = [
            demand(reading, creating=False)
            for reading, told in zip(readings, burials, strict=True)
            if told is not None
        ]
        forwarding = Forwarding()
        outcomes: list[Outcome] = []
        async with self.database.session(demands) as session:
            for reading, told in zip(readings, burials, strict=True):
                if told is None:
                    session.keep_letters([found_letter(reading)])
                else:
                    outcomes.append(await self._bury(session, reading, told, forwarding))
        return outcomes

    async def _bury(
        self, session: Session, reading: Reading, told: Burial, forwarding: Forwarding
    ) -> Outcome:
        judged = await self.judge.judge(session, reading, forwarding, told.error)
        letter = found_letter(reading, judged.attempt)
        if judged.was_decided:
            letter = replace(letter, status=LetterStatus.ANSWERED)
        session.keep_letters([letter])
        return judged.outcome

    async def _keep(self, letter: DeadLetter) -> None:
        async with self.database.session() as session:
            session.keep_letters([letter])

    async def _mark(self, confirmed: frozenset[RequestKey]) -> None:
        async with self.database.session() as session:
            session.mark_forwarded(sorted(confirmed))


def found_letter(reading: Reading, attempt: int | None = None) -> DeadLetter:
    """What a message in the dead letters' queue says; one that the broker put there says less.

    ``attempt`` is which one it is, where that is known better than from the message.
    """
    envelope = reading.envelope
    delivery = envelope.delivery
    headers = delivery.properties.headers
    told = burial(headers)
    attempt = envelope.claimed_attempt if attempt is None else attempt
    request = reading if isinstance(reading, Request) else None
    letter = DeadLetter(
        letter_id=str(letter_id(envelope, attempt)),
        reason=UNDELIVERED,
        request_id=envelope.request_id,
        attempt=attempt,
        attempts=attempt + 1,
        run_kind=request.kind if request else None,
        run_id=request.run_id if request else None,
        body=delivery.body,
        properties=_kept(delivery.properties),
        dead_at=utc_now(),
    )
    if told is None:
        return _as_we_wrote(letter, headers)
    return replace(
        letter,
        error_type=type(told.error).__name__,
        error=_text(str(told.error)),
        exchange=_text(told.exchange),
        routing_key=_text(told.routing_key),
        properties=_kept(round_properties(envelope, attempt=attempt, failures=0)),
        dead_at=told.at or letter.dead_at,
    )


def _as_we_wrote(letter: DeadLetter, headers: Any) -> DeadLetter:
    attempts = headers.get(DeadHeader.ATTEMPTS)
    is_number = isinstance(attempts, int) and 0 < attempts < _MANY
    return replace(
        letter,
        letter_id=_text(headers.get(DeadHeader.ID)) or letter.letter_id,
        reason=str(headers[DeadHeader.REASON]),
        error_type=_text(headers.get(DeadHeader.ERROR_TYPE)),
        error=_text(headers.get(DeadHeader.ERROR)),
        exchange=_text(headers.get(DeadHeader.EXCHANGE)),
        routing_key=_text(headers.get(DeadHeader.ROUTING_KEY)),
        consumer=_text(headers.get(DeadHeader.CONSUMER)),
        attempts=attempts if is_number else letter.attempts,
        dead_at=_moment(headers.get(DeadHeader.AT), letter.dead_at),
    )


def stripped(letter: DeadLetter) -> DeadLetter:
    """The letter with what is known to fit into the table: its body, and whose request it is."""
    return DeadLetter(
        letter_id=letter.letter_id,
        reason=letter.reason,
        body=letter.body,
        properties={},
        dead_at=letter.dead_at,
        request_id=letter.request_id,
        attempt=letter.attempt,
        attempts=letter.attempts,
        run_kind=letter.run_kind,
        run_id=letter.run_id,
    )


def _kept(properties: Properties) -> dict[str, Any]:
    """The properties that a replay needs, without what the letter's own headers say."""
    own = set(DeadHeader)
    return {
        "correlation_id": properties.correlation_id,
        "reply_to": properties.reply_to,
        "type": properties.type,
        "content_type": properties.content_type,
        "headers": {
            name: value
            for name, value in properties.headers.items()
            if name not in own and isinstance(value, str | int)
        },
    }


def _text(value: object) -> str | None:
    return value.replace("\0", "") if isinstance(value, str) and value else None


def _moment(value: object, unknown: datetime) -> datetime:
    """The time of death, where the letter tells it."""
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return unknown
