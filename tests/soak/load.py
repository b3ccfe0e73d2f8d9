"""The load as a whole: producers, a subscriber, and the population that they speak for."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from consumer.broker.messages import Delivery, Outgoing
from rules.runs import RunKind
from tests.soak.asker import Asker
from tests.soak.listener import Listener
from tests.soak.population import Population, Turn
from tests.soak.producer import Producer
from tests.soak.steps import Candidate, Story
from tests.soak.tally import Tally

_PRODUCERS = 2
_SECONDS_BETWEEN_QUESTIONS = 1.0
_ALIVE_SECONDS = 2.0
_LEAST_ALIVE = 10


@dataclass(slots=True)
class Load:
    """Requests at a steady rate, while it is ``open``; closed, it only ends what was begun."""

    population: Population
    tally: Tally = field(default_factory=Tally)
    open: bool = False
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: Candidate = field(default_factory=lambda: Candidate.new(RunKind.FLOW))

    async def wind_down(self, seconds: float) -> bool:
        """Begin nothing more, and wait until all runs are at their ends; whether that came."""
        self.open = False
        self._note()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def due(self, most: int) -> Sequence[Outgoing]:
        """What a producer has to send now."""
        turns = self.population.due(most, time.monotonic(), newcomers=self.open)
        self._note()
        return [self._sent(turn) for turn in turns]

    def questions(self) -> Sequence[Outgoing]:
        """What the asker has to ask now: how a run stands."""
        if not self.open:
            return ()
        return [self._sent(self.population.begin(_question(self._asked)))]

    def confirmed(self, message: Outgoing) -> None:
        """The broker has a message."""
        self.tally.confirm(message.properties.correlation_id or "")

    def heard(self, delivery: Delivery) -> None:
        """A decision was announced."""
        now = time.monotonic()
        ended = self.tally.hear(delivery, now)
        if ended is not None:
            self.population.go_on(*ended, now)
            self._note()

    def replied(self, *_: Delivery) -> None:
        """A reply came."""
        self.tally.replies += 1

    def _note(self) -> None:
        if self.population.is_idle:
            self._idle.set()
        else:
            self._idle.clear()

    def _sent(self, turn: Turn | Outgoing) -> Outgoing:
        if isinstance(turn, Outgoing):
            self.tally.copies += 1
            return turn
        self.tally.send(turn, time.monotonic())
        return turn.step.message


def _question(candidate: Candidate) -> Story:
    yield candidate.question()


@asynccontextmanager
async def loading(url: str, rate: float, seed: int) -> AsyncIterator[Load]:
    """A load that is not open yet, on a broker on which everything is declared."""
    load = Load(Population(seed, most=max(_LEAST_ALIVE, int(_ALIVE_SECONDS * rate))))
    producers = [
        Producer(
            url=url,
            name=f"soak producer {number}",
            rate=rate / _PRODUCERS,
            due=load.due,
            confirmed=load.confirmed,
        )
        for number in range(_PRODUCERS)
    ]
    asker = Asker(url, _SECONDS_BETWEEN_QUESTIONS, load.questions, load.confirmed, load.replied)
    listener = Listener(url, load.heard, load.replied)
    async with asyncio.TaskGroup() as group:
        running = [listener.run(), asker.run(), *(producer.run() for producer in producers)]
        tasks = [group.create_task(one) for one in running]
        try:
            yield load
        finally:
            for task in tasks:
                task.cancel()
