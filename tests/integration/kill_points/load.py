"""A small load with every kind of decision in it, every kind of dead letter, and duplicates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json

from consumer.broker.messages import Outgoing, Properties
from consumer.topology.names import REQUESTS, partition_of, slot
from consumer.wire.decisions import Verdict
from consumer.wire.names import Code
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind
from tests.chaos.history import Sent
from tests.integration.misdeed_policy import PARAMETER, Misdeed
from tests.integration.world import PARTITIONS, proposal

LIMITED: Final = "one-at-a-time"
"""A tag of which one run at a time may run."""

SCHEDULED_SECONDS = 3

DECISIONS: Final = frozenset(Verdict)
"""All of them are made, each for two runs at least: any one request may be condemned."""

DEAD_LETTERS: Mapping[str, int] = {Code.INVALID: 2, Code.RULE_ERROR: 1, Code.FAILED: 1}
"""How many letters there are of each reason."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message, as it is published and as a history notes it: once, however often it is sent."""

    sent: Sent
    outgoing: Outgoing


def load(reply_to: str, subscription: str) -> list[Item]:
    """The messages in the order in which they are to be published."""
    return [
        replace(item, sent=replace(item.sent, position=position, reply_to=subscription))
        for position, item in enumerate(_items(reply_to))
    ]


def _items(reply_to: str) -> Iterator[Item]:
    usual, failing, scheduled, flow, failing_too = (uuid7() for _ in range(5))
    first, second = _of_one_partition()
    create: dict[str, Any] = {"create": {}}
    limited: dict[str, Any] = {"create": {"tags": [LIMITED]}}
    retries: dict[str, Any] = {"create": {"policy": {"retries": 1, "retry_delay": 1}}}
    due = {"scheduled_time": utc_now() + timedelta(seconds=SCHEDULED_SECONDS)}
    at = _Producer(reply_to)

    yield at.request("PENDING", usual, **create)
    yield at.request("RUNNING", flow, kind="flow", **create)
    yield at.request("SCHEDULED", scheduled, details=due, **create)
    yield at.request("RUNNING", first, **limited)
    yield at.request("RUNNING", second, **limited)
    yield twice(at.request("RUNNING", scheduled, **create))
    yield at.request("RUNNING", failing, **retries)
    yield at.request("FAILED", failing, **retries)
    yield at.request("RUNNING", failing, **retries)
    yield at.request("RUNNING", failing_too, **retries)
    yield at.request("FAILED", failing_too, **retries)
    yield at.nonsense(str(uuid7()))
    yield at.nonsense(None)
    yield at.misdeed("RUNNING", Misdeed.RAISES_BEFORE, **create)
    yield at.misdeed("PENDING", Misdeed.RAISES_AFTER, **create)
    yield twice(at.request("RUNNING", usual, **create))
    yield at.request("COMPLETED", first, **limited)
    yield at.request("RUNNING", uuid7())
    yield at.astray(at.request("PENDING", uuid7(), **create))
    yield at.request("COMPLETED", usual, **create)


def _of_one_partition() -> tuple[UUID, UUID]:
    """Two runs whose requests keep their order also between them."""
    first, second = uuid7(), uuid7()
    while partition_of(first, PARTITIONS) != partition_of(second, PARTITIONS):
        second = uuid7()
    return first, second


def twice(item: Item) -> Item:
    return replace(item, sent=replace(item.sent, copies=2))


@dataclass(frozen=True, slots=True)
class _Producer:
    reply_to: str

    def request(self, state: str, run_id: UUID, *, kind: str = "task", **rest: Any) -> Item:
        body = to_json(proposal(state, run_id, kind=kind, **rest))
        return self._item(str(uuid7()), body, run_id=run_id, kind=RunKind(kind))

    def misdeed(self, state: str, misdeed: Misdeed, **rest: Any) -> Item:
        item = self.request(state, uuid7(), parameters={PARAMETER: misdeed}, **rest)
        return replace(item, sent=replace(item.sent, faulty=True))

    def nonsense(self, request_id: str | None) -> Item:
        return self._item(request_id, b"this is no JSON", run_id=None, kind=None)

    def astray(self, item: Item) -> Item:
        """The same, to the partition after its own."""
        run_id = item.sent.run_id or uuid7()
        key = f"{(run_id.bytes[-1] + 1) % 256:02x}"
        return Item(replace(item.sent, detoured=True), replace(item.outgoing, routing_key=key))

    def _item(
        self, request_id: str | None, body: bytes, *, run_id: UUID | None, kind: RunKind | None
    ) -> Item:
        properties = Properties(message_id=request_id, reply_to=self.reply_to)
        key = "00" if run_id is None else slot(run_id)
        outgoing = Outgoing(exchange=REQUESTS, routing_key=key, body=body, properties=properties)
        sent = Sent(
            request_id=request_id,
            run_id=run_id,
            kind=kind,
            body=body,
            lane=0,
            position=0,
            confirmed=True,
        )
        return Item(sent, outgoing)
