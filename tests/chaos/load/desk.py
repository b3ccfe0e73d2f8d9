"""Where one run's producer hands in its requests and waits for what is decided."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from consumer.topology.names import SLOTS, slot
from consumer.wire.body import OnDelay
from rules.runs import RunKind
from tests.chaos.load.answers import Answers, Decision, Thread
from tests.chaos.load.hearing import REPLY_QUEUES
from tests.chaos.load.items import Item
from tests.chaos.load.lanes import Lane
from tests.chaos.policy import PARAMETER, Misdeed
from tests.integration.world import proposal

GONE_QUEUE = "pointsman.replies.chaos.gone"
REFUSED_QUEUE = "pointsman.requests.0"

_TWICE_AT_ONCE = 0.04
_TWICE_LATER = 0.04
_WRONG_KEY = 0.02
_ID_REUSED = 0.01
_LATER_SECONDS = (0.5, 8.0)


@dataclass(slots=True)
class Office:
    """What all desks share; ``later`` holds what is still to be sent a second time."""

    lanes: Sequence[Lane]
    answers: Answers
    user: str
    tasks: asyncio.TaskGroup
    later: set[asyncio.Task[None]] = field(default_factory=set)

    def desk(self, rng: Random, kind: RunKind, run_id: UUID | None = None) -> "Desk":
        """A desk for a run, a new one where none is named; its lane follows from its id."""
        run_id = run_id or UUID(int=rng.getrandbits(128), version=4)
        return Desk(self, self.lanes[run_id.int % len(self.lanes)], rng, kind, run_id)

    def publish_later(self, lane: Lane, item: Item, seconds: float) -> None:
        """Give a lane an item in so many seconds."""
        task = self.tasks.create_task(_give_later(lane, item, seconds))
        self.later.add(task)
        task.add_done_callback(self.later.discard)


async def _give_later(lane: Lane, item: Item, seconds: float) -> None:
    await asyncio.sleep(seconds)
    lane.give(item)


@dataclass(frozen=True, slots=True)
class Desk:
    """One run's way to Pointsman; all that it sends goes through one lane."""

    office: Office
    lane: Lane
    rng: Random
    kind: RunKind
    run_id: UUID

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def send(
        self,
        state: str | None,
        *,
        forced: bool = False,
        misdeed: Misdeed | None = None,
        **rest: Any,
    ) -> Thread:
        """Send a request; now and then twice, with a wrong key, or its id for another one too.

        ``rest`` is as for ``proposal``; ``forced`` lets it past the rules, by the user who may.
        """
        if misdeed is not None:
            rest["parameters"] = rest.get("parameters", {}) | {PARAMETER: misdeed}
        body = proposal(state, self.run_id, kind=self.kind, force=forced, **rest)
        item = self._item(to_json(body), OnDelay(rest.get("on_delay", OnDelay.RETRY)))
        item.user_id = self.office.user if forced else None
        item.faulty = misdeed is not None
        return self._publish(item)

    def send_raw(self, body: bytes) -> Thread:
        """Send what is no request."""
        item = self._item(body, OnDelay.RETRY)
        item.run_id = item.kind = None
        return self._publish(item)

    async def ask(self, state: str | None, **rest: Any) -> Decision:
        """Send a request and wait until it is decided, however often it is delayed."""
        return await self.send(state, **rest).last()

    def _publish(self, item: Item) -> Thread:
        thread = self.office.answers.expect(item, self._again)
        self.lane.give(item)
        if self.chance(_TWICE_AT_ONCE):
            self.lane.give(item)
        if self.chance(_TWICE_LATER):
            self.office.publish_later(self.lane, item, self.rng.uniform(*_LATER_SECONDS))
        if self.chance(_ID_REUSED):
            self._reuse_id(item)
        return thread

    def _again(self, item: Item) -> None:
        if item.confirmed:  # else the lane is still at it
            self.lane.give(item)

    def _reuse_id(self, item: Item) -> None:
        other = self._item(item.body.rstrip() + b" ", item.on_delay)
        other.request_id = item.request_id
        other.run_id, other.kind = item.run_id, item.kind
        other.user_id, other.faulty = item.user_id, item.faulty
        self.lane.give(other)

    def _item(self, body: bytes, on_delay: OnDelay) -> Item:
        rng = self.rng
        key, detoured = slot(self.run_id), False
        if self.chance(_WRONG_KEY):
            key = rng.choice((key.upper(), f"{rng.randrange(SLOTS):02x}", "nowhere"))
            detoured = key != slot(self.run_id)
        reply_to, heard = rng.choice(_REPLIES)
        return Item(
            routing_key=key,
            body=body,
            request_id=str(UUID(int=rng.getrandbits(128), version=4)),
            run_id=self.run_id,
            kind=self.kind,
            on_delay=on_delay,
            correlation_id=f"job {rng.randrange(10**9)}" if self.chance(0.3) else None,
            reply_to=reply_to,
            heard_reply=heard,
            detoured=detoured,
        )


# Where the reply is to go, and whether anybody hears it there.
_REPLIES: Sequence[tuple[str | None, bool]] = (
    *((name, True) for name in REPLY_QUEUES * 4),
    *((None, False),) * 3,
    (GONE_QUEUE, False),
    (REFUSED_QUEUE, False),
)
