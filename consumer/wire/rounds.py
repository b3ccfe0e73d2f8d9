"""Requests sent round again: to the ladder, to another partition, to the dead letters.

What goes round is the body, a few properties, and headers of our own. Everything else that came
with the message is told in one header and never copied: a foreign ``user_id`` closes the channel,
an ``expiration`` cuts a delay short, ``CC`` and ``BCC`` copy the message elsewhere, and an
``x-death`` trips the broker's check for cycles.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from consumer.broker.messages import Properties
from consumer.wire.names import MAX_ORIGINAL_BYTES, Header
from consumer.wire.requests import Envelope

_OWN_PREFIX = "pointsman-"
_BROKERS_OWN = ("x-", "timestamp_in_ms")
_NEVER_SENT = ("user_id", "app_id", "content_encoding", "expiration", "priority")


def round_properties(envelope: Envelope, *, attempt: int, failures: int) -> Properties:
    """The properties with which a request comes back as its ``attempt``-th.

    The request's id stays the message's id, so that it is the same request even where the record
    that bears the other headers out is gone.
    """
    came_with = envelope.delivery.properties
    headers: dict[str, Any] = dict(envelope.trace)
    original = original_header(envelope)
    if original is not None:
        headers[Header.ORIGINAL] = original
    headers[Header.ATTEMPT] = attempt
    headers[Header.FAILURES] = failures
    if envelope.request_id is not None:
        headers[Header.REQUEST_ID] = envelope.request_id
    return Properties(
        message_id=envelope.request_id,
        correlation_id=came_with.correlation_id,
        reply_to=came_with.reply_to,
        type=came_with.type,
        content_type=came_with.content_type,
        headers=headers,
    )


def original_header(envelope: Envelope) -> str | None:
    """What else came with the message, as JSON of at most 16 KiB; None where nothing did.

    Of a message that we have sent round before it is what was told then. A stranger can set that
    header too; it is told as one of those that the message came with.
    """
    delivery = envelope.delivery
    if _may_be_ours(envelope):
        earlier = delivery.properties.headers.get(Header.ORIGINAL)
        return _cut(earlier) if isinstance(earlier, str) else None
    if delivery.raw_header is not None:
        return _cut(_as_json({"header": delivery.raw_header.hex()}))
    came_with = _left_out(delivery.properties, envelope.trace)
    return _cut(_as_json(came_with)) if came_with else None


def _may_be_ours(envelope: Envelope) -> bool:
    """Whether it looks in all respects like a message that we have sent round.

    Such a one has its id in our header too, and nothing that we never send; the broker adds
    headers beginning with ``x-``, and if it is set up so, times.
    """
    properties = envelope.delivery.properties
    return (
        envelope.sent_round
        and properties.headers.get(Header.REQUEST_ID) == envelope.request_id
        and all(getattr(properties, name) is None for name in _NEVER_SENT)
        and all(
            name in envelope.trace or name.startswith((_OWN_PREFIX, *_BROKERS_OWN))
            for name in properties.headers
        )
    )


def _as_json(value: dict[str, Any]) -> str:
    try:
        return to_json(value, fallback=repr, bytes_mode="base64", inf_nan_mode="strings").decode()
    except ValueError:  # nested too deep for the serializer, or a text that is none
        return repr(value)


def _left_out(properties: Properties, trace: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: value for name in _NEVER_SENT if (value := getattr(properties, name)) is not None
    }
    if isinstance(properties.timestamp, datetime):
        told["timestamp"] = properties.timestamp.isoformat()
    foreign = {name: value for name, value in properties.headers.items() if name not in trace}
    if foreign:
        told["headers"] = foreign
    return told


def _cut(text: str) -> str:
    return text.encode()[:MAX_ORIGINAL_BYTES].decode(errors="ignore")


def with_headers(properties: Properties, headers: Mapping[str, Any]) -> Properties:
    """The same properties with more headers."""
    return replace(properties, headers={**properties.headers, **headers})
