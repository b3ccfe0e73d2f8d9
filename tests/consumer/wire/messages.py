"""Requests as a producer would send them, for tests of what is made of them."""

import json
from typing import Any
from uuid import UUID

from consumer.broker.messages import Delivery, Properties
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Request, Unreadable

RUN = UUID("0190b9b0-7d0a-7c2f-8f57-0123456789ab")
READER = RequestReader(
    max_body_bytes=100_000,
    reply_patterns=("amq.rabbitmq.reply-to.*", "amq.gen-*", "pointsman.replies.*"),
)


def body(**changes: Any) -> dict[str, Any]:
    return {"run": {"kind": "task", "id": str(RUN)}, "state": {"type": "RUNNING"}, **changes}


def delivery(content: object = None, **properties: Any) -> Delivery:
    """A delivery with this content, JSON unless it is bytes, and these properties."""
    raw = content if isinstance(content, bytes) else json.dumps(content or body()).encode()
    return Delivery(
        body=raw,
        properties=Properties(**{"message_id": "r-1", **properties}),
        exchange="pointsman.requests",
        routing_key="ab",
        redelivered=False,
        tag=1,
        partition=3,
    )


def read(content: object = None, **properties: Any) -> Request:
    reading = READER.read(delivery(content, **properties))
    assert isinstance(reading, Request), reading
    return reading


def refused(content: object = None, **properties: Any) -> str:
    """Why the message is no request."""
    reading = READER.read(delivery(content, **properties))
    assert isinstance(reading, Unreadable), reading
    return reading.reason
