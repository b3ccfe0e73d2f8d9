"""The broker of a sound history: what waits in it, and who hears what."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from consumer.broker.messages import Delivery, Outgoing
from consumer.topology.names import DEAD_LETTERS, DECISIONS, DELAY_LEVELS, REQUESTS
from consumer.wire.names import DeadHeader, Header
from persistence.schema import LetterStatus
from tests.chaos.checking.sound.scripts import Item
from tests.chaos.history import EVERYTHING, Heard, LetterAtEnd


@dataclass(frozen=True, slots=True)
class Coming:
    """A message on its way to the consumer."""

    item: Item
    delivery: Delivery


@dataclass(slots=True)
class Broker:
    """Delivers in the order of time; now and then it delivers a decision to a subscriber twice."""

    rng: Random
    heard: list[Heard] = field(default_factory=list)
    letters: dict[str, LetterAtEnd] = field(default_factory=dict)
    _waiting: list[tuple[datetime, int, Coming]] = field(default_factory=list)
    _published: int = 0

    def bring(self, at: datetime, coming: Coming) -> None:
        """Let a message come to the consumer at that time."""
        self._published += 1
        heappush(self._waiting, (at, self._published, coming))

    def next(self) -> tuple[datetime, Coming] | None:
        """The message that comes next and when, None where all is quiet."""
        if not self._waiting:
            return None
        at, _, coming = heappop(self._waiting)
        return at, coming

    def publish(self, outgoing: Outgoing, item: Item, now: datetime) -> None:
        """Take what the consumer publishes: a delayed request, a dead letter or a decision."""
        if outgoing.exchange == DEAD_LETTERS:
            self._bury(outgoing)
        elif outgoing.exchange in {"", DECISIONS}:
            self._tell(outgoing, now)
        else:
            late = timedelta(seconds=_seconds(outgoing), milliseconds=self.rng.randint(0, 30))
            self.bring(now + late, Coming(item, as_delivery(outgoing)))

    def _bury(self, outgoing: Outgoing) -> None:
        headers = outgoing.properties.headers
        letter = LetterAtEnd(
            letter_id=headers[DeadHeader.ID],
            request_id=outgoing.properties.message_id,
            attempt=headers[Header.ATTEMPT],
            reason=headers[DeadHeader.REASON],
            status=LetterStatus.OPEN,
            body=outgoing.body,
        )
        self.letters.setdefault(letter.letter_id, letter)

    def _tell(self, outgoing: Outgoing, now: datetime) -> None:
        heard = Heard(
            subscription=EVERYTHING if outgoing.exchange else outgoing.routing_key,
            routing_key=outgoing.routing_key,
            message_id=outgoing.properties.message_id or "",
            correlation_id=outgoing.properties.correlation_id,
            body=outgoing.body,
            at=now.timestamp(),
        )
        self.heard += [heard] * self.rng.choice((1, 1, 1, 1, 2))


def as_delivery(outgoing: Outgoing) -> Delivery:
    """What was published, as whoever takes it from its queue gets it."""
    return Delivery(
        body=outgoing.body,
        properties=outgoing.properties,
        exchange=outgoing.exchange,
        routing_key=outgoing.routing_key,
        redelivered=False,
        tag=1,
    )


def _seconds(outgoing: Outgoing) -> int:
    """How long the ladder keeps a message, by its routing key."""
    if outgoing.exchange == REQUESTS:
        return 0
    bits = outgoing.routing_key.split(".")[:DELAY_LEVELS]
    return int("".join(bits), 2)
