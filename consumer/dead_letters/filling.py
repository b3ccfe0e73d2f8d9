"""From the dead letters' queue to the table in which they are looked after."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from consumer.broker.intake import Intake
from consumer.broker.messages import Delivery, Properties
from consumer.dead_letters.letters import letter_id
from consumer.wire.names import DeadHeader
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Request
from consumer.worker.patience import until_storage_answers
from persistence.database import Database
from persistence.dead_letters import DeadLetter, record_letters
from rules.moments import utc_now

LETTERS_PREFETCH = 200
_MADE_BY_BROKER = "undelivered"
_BROKERS_OWN = ("x-death", "x-first-death-reason")
_MANY = 2**31

log = structlog.get_logger(__name__)


async def fill_in(database: Database, intake: Intake, reader: RequestReader) -> None:
    """Record letters as they come, each batch committed before it is acknowledged; never returns.

    Raises:
        BrokerConnectionLost: the queue can't be read any more.
    """
    while True:
        batch = await intake.next_batch(LETTERS_PREFETCH)
        await _record(database, [dead_letter(delivery, reader) for delivery in batch])
        await intake.settle(batch)


async def _record(database: Database, letters: Sequence[DeadLetter]) -> None:
    """Record all, or where the database refuses that, each by itself and if need be the bare one.

    Whatever stands in a letter, it must not hold up those behind it.
    """
    try:
        await until_storage_answers(partial(record_letters, database, letters))
    except Exception as error:  # a letter may hold anything
        log.warning("letters-refused", letters=len(letters), exc_info=error)
        for letter in letters:
            await _record_alone(database, letter)


async def _record_alone(database: Database, letter: DeadLetter) -> None:
    bare = DeadLetter(
        letter_id=letter.letter_id,
        reason=_MADE_BY_BROKER,
        body=letter.body,
        properties={},
        dead_at=letter.dead_at,
    )
    try:
        await until_storage_answers(partial(record_letters, database, [letter]))
    except Exception as error:  # likewise
        log.warning("letter-stripped", letter_id=letter.letter_id, exc_info=error)
        await until_storage_answers(partial(record_letters, database, [bare]))


def dead_letter(delivery: Delivery, reader: RequestReader) -> DeadLetter:
    """What a message in the dead letters' queue says; one that the broker put there says less."""
    headers = delivery.properties.headers
    # What the broker buried has the producer's headers on it, who may say anything in our name.
    told = {} if any(name in headers for name in _BROKERS_OWN) else headers
    reading = reader.read(delivery)
    envelope = reading.envelope
    attempt = envelope.claimed_attempt
    attempts = told.get(DeadHeader.ATTEMPTS)
    request = reading if isinstance(reading, Request) else None
    return DeadLetter(
        letter_id=_text(told.get(DeadHeader.ID)) or str(letter_id(envelope, attempt)),
        reason=_text(told.get(DeadHeader.REASON)) or _MADE_BY_BROKER,
        error_type=_text(told.get(DeadHeader.ERROR_TYPE)),
        error=_text(told.get(DeadHeader.ERROR)),
        request_id=envelope.request_id,
        attempt=attempt,
        run_kind=request.kind if request else None,
        run_id=request.run_id if request else None,
        body=delivery.body,
        properties=_kept(delivery.properties),
        exchange=_text(told.get(DeadHeader.EXCHANGE)),
        routing_key=_text(told.get(DeadHeader.ROUTING_KEY)),
        consumer=_text(told.get(DeadHeader.CONSUMER)),
        attempts=attempts if isinstance(attempts, int) and 0 < attempts < _MANY else attempt + 1,
        dead_at=_moment(told.get(DeadHeader.AT)),
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


def _moment(value: object) -> datetime:
    """The time of death, or now where the letter doesn't tell it."""
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return utc_now()
