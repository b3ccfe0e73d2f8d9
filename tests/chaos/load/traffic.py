"""All that producers do during a trial."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from enum import Enum, auto
from random import Random
from typing import Any

from yarl import URL

from tests.chaos.chance import generator
from tests.chaos.load import workers
from tests.chaos.load.answers import Answers
from tests.chaos.load.desk import Office
from tests.chaos.load.hearing import SUBSCRIPTIONS, Subscriber
from tests.chaos.load.items import Outbox
from tests.chaos.load.junk import junk, nameless
from tests.chaos.load.lanes import Lane
from tests.chaos.load.scripts import SCRIPTS, drastic
from tests.chaos.policy import Misdeed

_LANES = 6


class _Kind(Enum):
    SCRIPT = auto()
    TASK = auto()
    FLOW = auto()
    TWO_AT_ONCE = auto()
    JUNK = auto()
    NAMELESS = auto()
    DRASTIC = auto()


_KINDS = {
    _Kind.SCRIPT: 50,
    _Kind.TASK: 30,
    _Kind.FLOW: 8,
    _Kind.TWO_AT_ONCE: 5,
    _Kind.JUNK: 4,
    _Kind.NAMELESS: 2,
    _Kind.DRASTIC: 1,
}


class Traffic:
    """Starts runs at a rate, each with chances of its own that follow from seed and number.

    ``misdeeds`` are what requests do to their consumers besides, each once, the last one first: no
    more of them, for each holds up a partition for long.
    """

    def __init__(
        self, url: str, seed: int, misdeeds: Sequence[Misdeed], tasks: asyncio.TaskGroup
    ) -> None:
        self.outbox = Outbox()
        self.answers = Answers(generator(seed, "patience"))
        lanes = [Lane(number, url, self.outbox) for number in range(_LANES)]
        self._url = url
        self._seed = seed
        self._tasks = tasks
        self._office = Office(lanes, self.answers, URL(url).user or "", tasks)
        self._started = 0
        self._misdeeds = list(misdeeds)
        self._under_way: set[asyncio.Task[Any]] = set()

    def services(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What has to run all the time."""
        for lane in self._office.lanes:
            yield lane.run()
        for queue in SUBSCRIPTIONS:
            yield Subscriber(self._url, queue, self.answers.note).run()
        yield self.answers.insist()

    async def run(self, runs_per_second: float) -> None:
        """Start runs for ever."""
        pauses = generator(self._seed, "pauses")
        while True:
            await asyncio.sleep(pauses.expovariate(runs_per_second))
            self.start(1)

    def start(self, runs: int) -> None:
        """Start so many runs at once."""
        for _ in range(runs):
            self._start(generator(self._seed, self._started))
            self._started += 1

    def abandon(self) -> None:
        """Give up what is under way."""
        for task in self._under_way | self._office.later:
            task.cancel()

    def left(self) -> str:
        """What nobody has finished yet; empty where all is."""
        unanswered = self.answers.unanswered
        counts = {
            "workers under way": len(self._under_way),
            "messages to be sent again": len(self._office.later),
            "messages not confirmed": sum(lane.waiting for lane in self._office.lanes),
            "requests not answered": len(unanswered),
        }
        told = [f"{count} {what}" for what, count in counts.items() if count]
        if unanswered:
            told.append(f"such as {', '.join(unanswered[:5])}")
        return ", ".join(told)

    def _start(self, rng: Random) -> None:
        [kind] = rng.choices(list(_KINDS), list(_KINDS.values()))
        match kind:
            case _Kind.SCRIPT:
                [write] = rng.choices(list(SCRIPTS), list(SCRIPTS.values()))
                write(rng).play(self._office, rng)
            case _Kind.DRASTIC if self._misdeeds:
                drastic(self._misdeeds.pop()).play(self._office, rng)
            case _Kind.TASK:
                self._in_background(workers.task(self._office, rng))
            case _Kind.FLOW:
                self._in_background(workers.flow(self._office, rng))
            case _Kind.TWO_AT_ONCE:
                self._in_background(workers.two_at_once(self._office, rng))
            case _Kind.NAMELESS:
                self._in_background(nameless(self._url, self.outbox, rng))
            case _:
                junk(self._office, rng)

    def _in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._tasks.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
