"""Requests as the worker sees them: read, or known to be unreadable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consumer.broker.messages import Delivery
from consumer.wire.body import RequestBody
from rules.runs import RunKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a message says beside its body.

    ``claimed_attempt`` and ``sent_round`` come from headers of our own, which a stranger can set
    too: they count only where the record bears them out. ``reply_to`` is None where it is absent
    or, with ``reply_refused``, not permitted. ``digest`` is the body's SHA-256.
    """

    delivery: Delivery
    request_id: str | None
    correlation_id: str | None
    digest: bytes
    claimed_attempt: int = 0
    sent_round: bool = False
    reply_to: str | None = None
    reply_refused: bool = False
    trace: Mapping[str, Any]

    @property
    def user_id(self) -> str | None:
        """The user as the broker checked it.

        The broker lets an impersonator name anybody; a name with a NUL, which no database keeps,
        is nobody's.
        """
        user_id = self.delivery.properties.user_id
        return None if user_id is None or "\0" in user_id else user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A transition request that could be read."""

    envelope: Envelope
    request_id: str
    body: RequestBody

    @property
    def run_id(self) -> UUID:
        """The run that is to change."""
        return self.body.run.id

    @property
    def kind(self) -> RunKind:
        """Whether that is a flow run or a task run."""
        return self.body.run.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A message that is no request; ``reason`` is a sentence for the producer."""

    envelope: Envelope
    reason: str


Reading = Request | Unreadable
