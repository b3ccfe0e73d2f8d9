"""Requests of the load, one step of a run's life each."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from consumer.broker.messages import Outgoing, Properties
from consumer.topology.names import REQUESTS, slot
from consumer.wire.decisions import Verdict
from consumer.wire.names import JSON_CONTENT_TYPE, REQUEST_TYPE
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind

REPLIES = "pointsman.replies.soak"
"""The queue that hears replies."""

NOBODY = "pointsman.replies.nobody"
"""A permitted name of a queue that does not exist."""

Decision = Mapping[str, Any]
"""A decision's body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A request, and what may be decided on it in the end.

    ``message`` has a correlation id of its own, by which the decision is told. ``returns``: a delay
    is decided once and for all. ``pause`` is how many seconds to wait before it is sent.
    """

    message: Outgoing
    expected: frozenset[Verdict]
    returns: bool = False
    pause: float = 0.0

    @property
    def key(self) -> str:
        """By what the decision is known."""
        return self.message.properties.correlation_id or ""

    def changed(self, *, pause: float | None = None, reply_to: str | None = None) -> "Step":
        """The same with another pause, or asking for a reply."""
        properties = self.message.properties
        answered = replace(properties, reply_to=reply_to or properties.reply_to)
        return replace(
            self,
            message=replace(self.message, properties=answered),
            pause=self.pause if pause is None else pause,
        )


Story = Generator[Step, Decision, None]
"""A run's life: gives a step, is sent the decision on it, gives the next."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that asks, and how it is made."""

    kind: RunKind
    create: Mapping[str, Any]
    id: UUID

    @classmethod
    def new(cls, kind: RunKind, **create: Any) -> "Candidate":
        """A run that nobody knows yet."""
        return cls(kind, create, uuid7())

    def step(self, state: str, *expected: Verdict, **rest: Any) -> Step:
        """Propose a state; ``details`` are state details, other keywords are keys of the body."""
        proposed = {"type": state, "state_details": rest.pop("details", {})}
        if "data" in rest:
            proposed["data"] = rest.pop("data")
        return Step(
            message=self._request({"state": proposed, **rest}),
            expected=frozenset(expected or {Verdict.ACCEPT}),
            returns=rest.get("on_delay") == "return",
        )

    def question(self) -> Step:
        """Propose nothing: the answer tells how the run stands."""
        return Step(message=self._request({"state": None}), expected=frozenset({Verdict.ACCEPT}))

    def _request(self, rest: Mapping[str, Any]) -> Outgoing:
        about = {"run": {"kind": self.kind.value, "id": str(self.id)}, "create": self.create}
        return request(to_json({**about, **rest}), slot(self.id))


def request(body: bytes, routing_key: str, *, anonymous: bool = False) -> Outgoing:
    """A message for Pointsman; an ``anonymous`` one has no message id."""
    key = str(uuid7())
    return Outgoing(
        exchange=REQUESTS,
        routing_key=routing_key,
        body=body,
        properties=Properties(
            message_id=None if anonymous else key,
            correlation_id=key,
            type=REQUEST_TYPE,
            content_type=JSON_CONTENT_TYPE,
            timestamp=utc_now(),
        ),
    )


def scheduled(seconds: float) -> dict[str, str]:
    """The details of a state that is due in so many seconds."""
    return {"scheduled_time": (utc_now() + timedelta(seconds=seconds)).isoformat()}
