"""Dead letters as messages: the body as it was, and why nothing came of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from consumer.broker.decoding import as_published
from consumer.broker.messages import Outgoing
from consumer.redaction import redacted
from consumer.topology.names import DEAD_LETTERS
from consumer.wire.names import DeadHeader
from consumer.wire.requests import Envelope
from consumer.wire.rounds import round_properties, with_headers

_NAMESPACE = UUID("0c8a3f5e-6f0e-5a8f-8d8e-54f9a1b6c7d2")
_MAX_ERROR_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeathCause:
    """Why a request became a dead letter; ``reason`` is a code, ``error`` a sentence."""

    reason: str
    error_type: str
    error: str

    @classmethod
    def of(cls, reason: str, error: BaseException) -> "DeathCause":
        """What an exception says, as far as a database and a message header can keep it."""
        text = redacted(str(error))[:_MAX_ERROR_CHARACTERS].replace("\0", "")
        kept = text.encode(errors="backslashreplace").decode()
        return cls(reason=reason, error_type=type(error).__name__, error=kept)


@dataclass(frozen=True, slots=True)
class LetterWriter:
    """Writes dead letters in the name of one consumer."""

    consumer: str

    def letter(
        self, envelope: Envelope, cause: DeathCause, *, attempt: int, at: datetime
    ) -> Outgoing:
        """The message for the dead letters' queue; the same death makes the same letter."""
        delivery = envelope.delivery
        headers: dict[str, Any] = {
            DeadHeader.ID: str(letter_id(envelope, attempt)),
            DeadHeader.REASON: cause.reason,
            DeadHeader.ERROR_TYPE: cause.error_type,
            DeadHeader.ERROR: cause.error,
            DeadHeader.AT: at.isoformat(),
            DeadHeader.ATTEMPTS: attempt + 1,
            DeadHeader.EXCHANGE: delivery.exchange,
            DeadHeader.ROUTING_KEY: delivery.routing_key,
            DeadHeader.CONSUMER: self.consumer,
        }
        properties = round_properties(envelope, attempt=attempt, failures=0)
        return Outgoing(
            exchange=DEAD_LETTERS,
            routing_key="",
            body=delivery.body,
            properties=with_headers(properties, headers),
        )


def letter_id(envelope: Envelope, attempt: int) -> UUID:
    """What makes the same letter one row: request, attempt and body, or else all that there is.

    Two letters without a request id that do not differ in anything are one.
    """
    if envelope.request_id is not None:
        return uuid5(_NAMESPACE, f"{envelope.request_id}\n{attempt}\n{envelope.digest.hex()}")
    properties = envelope.delivery.properties
    # What the broker adds differs from one delivery to the next.
    own = sorted(
        (name, repr(value))
        for name, value in properties.headers.items()
        if not name.startswith("x-")
    )
    came_with = repr((replace(properties, headers={}), own)).encode(errors="replace")
    if envelope.delivery.raw_header is not None:
        came_with += as_published(envelope.delivery.raw_header)
    return uuid5(_NAMESPACE, sha256(envelope.digest + came_with).hexdigest())
