"""What became of one message: what is published for it before it is acknowledged."""

from dataclasses import dataclass
from uuid import UUID

from consumer.broker.messages import Outgoing
from consumer.wire.decisions import Verdict
from consumer.wire.requests import Envelope
from rules.runs import RunKind

RequestKey = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A decision to publish: the very bytes, and whom to tell.

    ``identity`` is what its message ids follow from. An answer that is not ``announced`` goes to
    ``reply_to`` only. ``repeated`` says that it was on record before this message came.
    """

    body: bytes
    identity: str
    verdict: Verdict
    code: str | None
    kind: RunKind | None = None
    run_id: UUID | None = None
    announced: bool = True
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One message's answer, if it has one, and what must be confirmed by the broker for it.

    ``forward`` is a delayed request, a dead letter or a request for another partition; where it
    belongs to a recorded decision, ``forwards`` names that.
    """

    envelope: Envelope
    answer: Answer | None = None
    forward: Outgoing | None = None
    forwards: RequestKey | None = None
