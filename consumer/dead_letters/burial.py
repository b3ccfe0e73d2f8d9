"""What the broker says of a message that it put among the dead letters itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consumer.topology.names import DELAY
from consumer.wire.names import Code, DeadHeader

UNDELIVERED = "undelivered"
"""Why such a message is a dead letter, as a code."""

REASONS = (Code.INVALID, Code.RULE_ERROR, Code.NOT_WRITTEN, Code.FAILED)
"""Why a message is one that we have put there."""

_DEATHS = "x-death"
_BROKERS_OWN = (_DEATHS, "x-first-death-reason")
_SENTENCES = {
    "expired": "it expired in the queue {queue}, by its own or the queue's limit",
    "delivery_limit": "the queue {queue} had delivered it as often as it may",
    "maxlen": "the queue {queue} was full",
}


class UndeliveredError(Exception):
    """A request that the broker put among the dead letters, before it could be governed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burial:
    """When the broker put a message there, from where, and why.

    All but ``error`` is None where the broker doesn't say it.
    """

    error: UndeliveredError
    at: datetime | None = None
    exchange: str | None = None
    routing_key: str | None = None


def burial(headers: Mapping[str, Any]) -> Burial | None:
    """What the broker tells of its letter; None for a letter that we wrote.

    What the broker buried has the producer's headers on it, who may say anything in our name; but
    then the broker's own are there too.
    """
    deaths = headers.get(_DEATHS)
    if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict):
        return _told(deaths[0])  # the last one comes first
    if headers.get(DeadHeader.REASON) in REASONS and not headers.keys() & set(_BROKERS_OWN):
        return None
    return Burial(error=UndeliveredError("it came to the dead letters without a reason"))


def reason(headers: Mapping[str, Any]) -> str:
    """Why a message in the dead letters' queue is there, as a code: ours, or ``UNDELIVERED``."""
    return UNDELIVERED if burial(headers) is not None else str(headers[DeadHeader.REASON])


def _told(death: Mapping[str, Any]) -> Burial:
    queue, reason, at = (death.get(name) for name in ("queue", "reason", "time"))
    keys = death.get("routing-keys")
    if isinstance(queue, str) and queue.startswith(f"{DELAY}."):
        sentence = "its delay was over, and no queue took it"
    else:
        sentence = _SENTENCES.get(str(reason), "the queue {queue} gave it up ({reason})")
    return Burial(
        error=UndeliveredError(sentence.format(queue=queue, reason=reason)),
        at=at if isinstance(at, datetime) else None,
        exchange=_text(death.get("exchange")),
        routing_key=_text(keys[0]) if isinstance(keys, list) and keys else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
