"""Messages as the rest of the consumer sees them, whatever library speaks to the broker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """AMQP's basic properties, less the deprecated ones. ``headers`` is decoded, never None."""

    message_id: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    type: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    timestamp: datetime | None = None
    user_id: str | None = None
    app_id: str | None = None
    expiration: str | None = None
    priority: int | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message taken from a queue and not yet acknowledged.

    ``partition`` is None for what does not come from a partition's queue. ``tag`` counts from 1
    on the channel that it came by. ``raw_header`` is set, and ``properties`` empty, where the
    content header could not be decoded.
    """

    body: bytes
    properties: Properties
    exchange: str
    routing_key: str
    redelivered: bool
    tag: int
    partition: int | None = None
    raw_header: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to publish, persistent.

    ``mandatory``: the broker returns it if no queue takes it.
    """

    exchange: str
    routing_key: str
    body: bytes
    properties: Properties
    mandatory: bool = True
