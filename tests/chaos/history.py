"""What a run of the chaos suite leaves behind: what was sent, what was heard, what stands there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from consumer.wire.body import OnDelay
from persistence.records import BegunRecord, DecisionRecord
from persistence.schema import LetterStatus
from rules.runs import RunKind
from rules.states import StateType

EVERYTHING: Final = "everything"
"""The subscription that hears all that is announced, by one durable queue bound from the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message as its producer sent it; repeats of it are ``copies``, not values of their own.

    Args:
        request_id: the message id; None where it was sent without a usable one.
        run_id: the run that the body names; None where the body is no readable request.
        kind: of the run; None where ``run_id`` is.
        body: the bytes. The same id with another body is a value of its own.
        lane: which channel of which producer published it. A new channel is a new lane, so that a
            producer that connects again starts another; lanes have no order between them.
        position: where in the lane its first copy was published; what matters is the order.
        confirmed: the broker confirmed at least one copy. Else it may have arrived or not.
        copies: how often it was published, on purpose or because a confirm was lost.
        on_delay: as the body says.
        correlation_id: as it was set; None where the request's id stands for it.
        reply_to: the ``subscription`` that hears the replies; None where none is asked for or its
            queue may have been away.
        detoured: it was published past its run's partition, so that its place is not promised.
        faulty: it makes a rule fail or the process end, so that it may be condemned for that.
    """

    request_id: str | None
    run_id: UUID | None
    kind: RunKind | None
    body: bytes
    lane: int
    position: int
    confirmed: bool
    copies: int = 1
    on_delay: OnDelay = OnDelay.RETRY
    correlation_id: str | None = None
    reply_to: str | None = None
    detoured: bool = False
    faulty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message that a subscriber received, each time that it did.

    ``subscription`` says which: ``EVERYTHING``, another one, or a reply queue. ``at`` is in seconds
    on a clock that all subscribers share.
    """

    subscription: str
    routing_key: str
    message_id: str
    correlation_id: str | None
    body: bytes
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAtEnd:
    """A row of ``run_state``."""

    id: UUID
    run_id: UUID
    version: int
    type: StateType
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAtEnd:
    """A row of ``run``."""

    id: UUID
    kind: RunKind
    version: int
    state_id: UUID | None
    state_type: StateType | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotAtEnd:
    """A row of ``concurrency_slot``."""

    tag: str
    task_run_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterAtEnd:
    """A row of ``dead_letter``."""

    letter_id: str
    request_id: str | None
    attempt: int | None
    reason: str
    status: LetterStatus
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What stands in the database when everything has become quiet.

    ``limits`` are the slots of each tag; they do not change while requests are governed.
    """

    decisions: Sequence[DecisionRecord] = ()
    states: Sequence[StateAtEnd] = ()
    runs: Sequence[RunAtEnd] = ()
    slots: Sequence[SlotAtEnd] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    letters: Sequence[LetterAtEnd] = ()
    begun: Sequence[BegunRecord] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAtEnd:
    """How many messages a queue holds: to be delivered, and delivered but not acknowledged."""

    ready: int
    unacknowledged: int


Queues = Mapping[str, QueueAtEnd]
"""Pointsman's own queues by their names, all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that there is to judge by."""

    sent: Sequence[Sent]
    heard: Sequence[Heard]
    rows: Rows
    queues: Queues
