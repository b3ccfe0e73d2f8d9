"""Whose turn it is: a rolling population of runs, each at its own place in its life."""

import heapq
import random
from dataclasses import dataclass, field
from itertools import count

from consumer.broker.messages import Outgoing
from tests.soak.steps import Decision, Step, Story
from tests.soak.stories import Storyteller

_SHORT = 0.2
_REPEATED = 0.02
_REPEAT_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A step that a story has come to."""

    story: Story
    step: Step


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    at: float
    number: int
    what: Turn | Outgoing = field(compare=False)


class Population:
    """The stories that are being told; times are in seconds on a clock of the caller's.

    While ``most`` of them are not at their ends, since nothing is decided, say, only short ones
    begin: a steady load must not become a heap of long stories that takes an hour to be told.
    """

    def __init__(self, seed: int, most: int) -> None:
        self._most = most
        self._rng = random.Random(seed)  # noqa: S311 - a load, no secret
        self._teller = Storyteller(self._rng)
        self._waiting: list[_Due] = []
        self._numbers = count()
        self._alive = 0

    @property
    def alive(self) -> int:
        """How many stories are not at their end."""
        return self._alive

    @property
    def is_idle(self) -> bool:
        """Whether all stories are at their end, and nothing waits to be repeated."""
        return not self._alive and not self._waiting

    def due(self, most: int, now: float, *, newcomers: bool) -> list[Turn | Outgoing]:
        """What is to be sent now: steps, and repeats of messages sent before.

        Stories that wait come first; ``newcomers`` fill up what is left.
        """
        taken: list[Turn | Outgoing] = []
        while len(taken) < most:
            if self._waiting and self._waiting[0].at <= now:
                taken.append(heapq.heappop(self._waiting).what)
            elif newcomers:
                self._wait(now, self.begin(self._newcomer()))
            else:
                break
        for turn in taken:
            if isinstance(turn, Turn) and self._rng.random() < _REPEATED:
                within = self._rng.uniform(0, _REPEAT_WITHIN_SECONDS)
                self._wait(now + within, turn.step.message)
        return taken

    def begin(self, story: Story) -> Turn:
        """The first turn of a story of the caller's."""
        self._alive += 1
        return Turn(story, next(story))

    def go_on(self, turn: Turn, decision: Decision, now: float) -> None:
        """Tell a story the decision on its step; one that it can't expect ends it."""
        if decision["decision"] not in turn.step.expected:
            turn.story.close()
            self._alive -= 1
            return
        try:
            step = turn.story.send(decision)
        except StopIteration:
            self._alive -= 1
        else:
            self._wait(now + step.pause, Turn(turn.story, step))

    def _newcomer(self) -> Story:
        if self._alive >= self._most or self._rng.random() < _SHORT:
            return self._teller.short_story()
        return self._teller.long_story()

    def _wait(self, until: float, what: Turn | Outgoing) -> None:
        heapq.heappush(self._waiting, _Due(until, next(self._numbers), what))
