"""The record of one showing: what was sent, and what was received, as it came."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from consumer.broker.messages import Delivery
from consumer.demo.roster import Roster
from consumer.wire.decisions import Decision
from consumer.wire.names import DeadHeader, Header

Attempt = tuple[str | None, int | None]


class EntryKind(Enum):
    """Why a decision was received: it is new, it tells of a run changed along, or it is known."""

    NEW = auto()
    ALONG = auto()
    AGAIN = auto()


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent, ``at`` seconds after the start."""

    request_id: str
    run: str
    proposed: str
    at: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision received ``at`` seconds after the start; ``run`` is the name of whom it tells."""

    at: float
    kind: EntryKind
    decision: Decision
    sent: Sent
    run: str


class Journal:
    """Keeps what was sent and received; of others' decisions and dead letters it keeps nothing.

    ``clock`` tells the seconds since the start; ``show`` is told of every entry.
    """

    def __init__(
        self, roster: Roster, clock: Callable[[], float], show: Callable[[Entry], None]
    ) -> None:
        self.sent: list[Sent] = []
        self.entries: list[Entry] = []
        self.letters: list[str] = []
        self.faults: list[str] = []
        self._roster = roster
        self._clock = clock
        self._show = show
        self._requests: dict[str, Sent] = {}
        self._bodies: dict[str, bytes] = {}
        self._announced: dict[Attempt, Decision] = {}
        self._balance: Counter[Attempt] = Counter()
        self._changed = asyncio.Event()

    def send(self, request_id: str, run: str, proposed: str) -> None:
        """Note that a request is about to be sent."""
        sent = Sent(request_id, run, proposed, self._clock())
        self.sent.append(sent)
        self._requests.setdefault(request_id, sent)

    def receive(self, delivery: Delivery) -> None:
        """Note a decision that was announced to all subscribers."""
        sent = self._requests.get(delivery.properties.correlation_id or "")
        if sent is None:
            return
        decision = Decision.model_validate_json(delivery.body)
        about = _run_in(delivery.routing_key)
        own = decision.run is None or decision.run.id == about
        if self._is_known(delivery):
            kind = EntryKind.AGAIN
        else:
            kind = EntryKind.NEW if own else EntryKind.ALONG
        if own:
            self._announced[decision.request_id, decision.attempt] = decision
            self._balance[decision.request_id, decision.attempt] += 1
        name = self._roster.name_of(about) if about else None
        self._enter(Entry(self._clock(), kind, decision, sent, name or sent.run))

    def reply(self, decision: Decision) -> None:
        """Note a decision that came as a reply; one that goes to nobody else is an entry too."""
        if decision.attempt is None:
            sent = next(
                each for each in reversed(self.sent) if each.request_id == decision.request_id
            )
            self._enter(Entry(self._clock(), EntryKind.NEW, decision, sent, sent.run))
        else:
            self._balance[decision.request_id, decision.attempt] -= 1
            self._changed.set()

    def receive_letter(self, delivery: Delivery) -> None:
        """Note a dead letter, by its reason."""
        headers = delivery.properties.headers
        if headers.get(Header.REQUEST_ID) in self._requests:
            self.letters.append(str(headers.get(DeadHeader.REASON)))
            self._changed.set()

    async def settle(self) -> None:
        """Wait until every decision that came as a reply was announced, and the other way."""
        while any(self._balance.values()):
            self._changed.clear()
            await self._changed.wait()

    def _is_known(self, delivery: Delivery) -> bool:
        message_id = delivery.properties.message_id or ""
        known = message_id in self._bodies
        if self._bodies.setdefault(message_id, delivery.body) != delivery.body:
            self.faults.append(f"the decision {message_id} came again with other bytes")
        return known

    def _enter(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._changed.set()
        self._show(entry)


def _run_in(routing_key: str) -> UUID | None:
    """The run that a decision's routing key names last."""
    try:
        return UUID(routing_key.rpartition(".")[2])
    except ValueError:
        return None
