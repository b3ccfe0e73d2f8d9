"""Whether a consumer governs at present, and if not, what it waits for."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class Obstacle(StrEnum):
    """What can keep a consumer from governing."""

    BROKER = "broker-away"
    PUBLISHERS_BLOCKED = "publishers-blocked"
    DATABASE = "database-away"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Hindrance:
    """An obstacle that is there: why, and since when on the clock of ``Readiness``."""

    why: str
    since: float


class Readiness:
    """The obstacles at present; a consumer is ready where there is none.

    It begins without a connection to the broker. ``clock`` counts seconds, from anywhere.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hindrances = {Obstacle.BROKER: Hindrance("not connected yet", clock())}
        self._pauses: Counter[Obstacle] = Counter()

    @property
    def is_ready(self) -> bool:
        """Whether requests are being governed, or would be if there were any."""
        return not self._hindrances

    @property
    def hindrances(self) -> Mapping[Obstacle, Hindrance]:
        """What is in the way, and why."""
        return dict(self._hindrances)

    @property
    def pauses(self) -> Mapping[Obstacle, int]:
        """How often each obstacle came into the way."""
        return dict(self._pauses)

    def seconds(self, obstacle: Obstacle) -> float:
        """For how long the obstacle has been there, 0 where it isn't."""
        hindrance = self._hindrances.get(obstacle)
        return 0.0 if hindrance is None else self._clock() - hindrance.since

    def hinder(self, obstacle: Obstacle, why: str) -> None:
        """Note that the obstacle is there; while it stays, what it was at first is kept."""
        if obstacle not in self._hindrances:
            self._hindrances[obstacle] = Hindrance(why, self._clock())
            self._pauses[obstacle] += 1
            log.warning("paused", by=obstacle.value, error=why)

    def clear(self, obstacle: Obstacle) -> None:
        """Note that the obstacle is gone, if it was there."""
        hindrance = self._hindrances.pop(obstacle, None)
        if hindrance is not None:
            seconds = round(self._clock() - hindrance.since, 3)
            log.info("resumed", after=obstacle.value, seconds=seconds)

    def stop(self) -> None:
        """Note that the consumer was told to stop: it takes nothing more."""
        self._hindrances[Obstacle.STOPPING] = Hindrance("it was told to stop", self._clock())
