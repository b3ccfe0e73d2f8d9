"""Who waits for which decision, and which requests nobody has answered yet."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any
from weakref import WeakValueDictionary

from pydantic_core import from_json

from consumer.wire.decisions import Verdict
from tests.chaos.history import Heard
from tests.chaos.load.items import Item

Decision = dict[str, Any]

_LOOK_EVERY_SECONDS = 1.0
_RELYING = 0.7
_PATIENCE_SECONDS = (20.0, 40.0)


@dataclass(slots=True)
class _Unanswered:
    item: Item
    again: Callable[[Item], None]
    patience: float
    due: float


class Thread:
    """What is decided on one request, attempt by attempt."""

    def __init__(self) -> None:
        self._attempts: set[int] = set()
        self._decisions: asyncio.Queue[Decision] = asyncio.Queue()

    def tell(self, decision: Decision) -> None:
        """A decision was heard; the same one may be told again."""
        if decision["attempt"] not in self._attempts:
            self._attempts.add(decision["attempt"])
            self._decisions.put_nowait(decision)

    async def first(self) -> Decision:
        """Wait for a decision that was not waited for yet."""
        return await self._decisions.get()

    async def last(self) -> Decision:
        """Wait for the one that is no delay."""
        while True:
            decision = await self.first()
            if decision["decision"] != Verdict.DELAY:
                return decision


class Answers:
    """Hears everything and hands it on; some requests are sent again if they wait for long."""

    def __init__(self, rng: Random) -> None:
        self.heard: list[Heard] = []
        self._rng = rng
        self._bodies: dict[bytes, bytes] = {}
        self._threads: WeakValueDictionary[str, Thread] = WeakValueDictionary()
        self._unanswered: dict[str, _Unanswered] = {}
        self._answered = 0
        self._milestones: dict[asyncio.Future[None], int] = {}

    @property
    def unanswered(self) -> list[str]:
        """Requests without any decision yet."""
        return list(self._unanswered)

    def expect(self, item: Item, again: Callable[[Item], None]) -> Thread:
        """A request is about to be sent: follow what is decided on it.

        Of some requests ``again`` is called each time that no answer has come for long.
        """
        assert item.request_id is not None
        # Most rely on the promise, so that a lost answer is not made good by a copy.
        relies = self._rng.random() < _RELYING
        patience = math.inf if relies else self._rng.uniform(*_PATIENCE_SECONDS)
        waiting = _Unanswered(item, again, patience, time.monotonic() + patience)
        self._unanswered.setdefault(item.request_id, waiting)
        thread = self._threads.get(item.request_id) or Thread()
        self._threads[item.request_id] = thread
        return thread

    async def more(self, count: int) -> None:
        """Wait until so many more requests have their first answer."""
        if count <= 0:
            return
        reached = asyncio.get_running_loop().create_future()
        self._milestones[reached] = self._answered + count
        try:
            await reached
        finally:
            del self._milestones[reached]

    def note(self, heard: Heard) -> None:
        """A subscriber received a message."""
        decision: Decision = from_json(heard.body)
        self.heard.append(self._with_shared_body(heard))
        request_id = decision["request_id"]
        if request_id is None or decision["attempt"] is None:
            return
        if self._unanswered.pop(request_id, None) is not None:
            self._count_answer()
        thread = self._threads.get(request_id)
        if thread is not None:
            thread.tell(decision)

    async def insist(self) -> None:
        """Send again, for ever, what has waited for long."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            now = time.monotonic()
            for waiting in list(self._unanswered.values()):
                if waiting.due <= now:
                    waiting.patience *= 2  # else copies alone could keep the consumers busy
                    waiting.due = now + waiting.patience
                    waiting.again(waiting.item)

    def _count_answer(self) -> None:
        self._answered += 1
        for reached, count in self._milestones.items():
            if self._answered >= count and not reached.done():
                reached.set_result(None)

    def _with_shared_body(self, heard: Heard) -> Heard:
        """The same with a body that is kept once, however often it is heard."""
        body = self._bodies.setdefault(heard.body, heard.body)
        return Heard(
            subscription=heard.subscription,
            routing_key=heard.routing_key,
            message_id=heard.message_id,
            correlation_id=heard.correlation_id,
            body=body,
            at=heard.at,
        )
