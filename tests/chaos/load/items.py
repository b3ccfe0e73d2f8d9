"""Messages on their way to Pointsman, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from consumer.wire.body import OnDelay
from rules.runs import RunKind
from tests.chaos.history import Sent


@dataclass(slots=True, eq=False, kw_only=True)
class Item:
    """A message to publish, as often as it takes; see ``Sent`` for what is noted of it.

    ``heard_reply`` says whether somebody hears what comes to ``reply_to``.
    """

    routing_key: str
    body: bytes
    request_id: str | None
    run_id: UUID | None = None
    kind: RunKind | None = None
    on_delay: OnDelay = OnDelay.RETRY
    correlation_id: str | None = None
    reply_to: str | None = None
    heard_reply: bool = True
    user_id: str | None = None
    detoured: bool = False
    faulty: bool = False

    lane: int = -1
    position: int = -1
    copies: int = 0
    confirmed: bool = False

    def sent(self) -> Sent:
        """What the history tells of it."""
        return Sent(
            request_id=self.request_id,
            run_id=self.run_id,
            kind=self.kind,
            body=self.body,
            lane=self.lane,
            position=self.position,
            confirmed=self.confirmed,
            copies=self.copies,
            on_delay=self.on_delay,
            correlation_id=self.correlation_id,
            reply_to=self.reply_to if self.heard_reply else None,
            detoured=self.detoured,
            faulty=self.faulty,
        )


@dataclass(slots=True)
class Outbox:
    """All messages that were published at least once, in no order."""

    items: list[Item] = field(default_factory=list)

    def note(self, item: Item) -> None:
        """An item is published for the first time."""
        self.items.append(item)

    def sent(self) -> Sequence[Sent]:
        """What the history tells of them."""
        return [item.sent() for item in self.items]
