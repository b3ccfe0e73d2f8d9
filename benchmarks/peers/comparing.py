"""All contenders in turn, round by round, and how they stand to each other."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

from benchmarks.peers.contenders import CONTENDERS, Contender
from benchmarks.peers.measuring import Measured, Size, measure
from benchmarks.world import Servers

Round = Mapping[str, Measured]
"""What was seen of each contender, by its name."""


async def rounds(
    servers: Servers, folder: Path, size: Size, number: int
) -> AsyncIterator[tuple[int, Contender, Measured]]:
    """Measure every contender in every round, the echo first: its rate sets the light load."""
    places = {each.name: await each.place(servers, folder) for each in CONTENDERS}
    for count in range(number):
        light: float | None = None
        for each in CONTENDERS:
            seen = await measure(each, places[each.name], size, light)
            light = light or seen.per_second / 10
            yield count, each, seen


def medians(seen: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    names = [each.name for each in fields(Measured)]
    return Measured(**{name: median(getattr(one, name) for one in seen) for name in names})


@dataclass(frozen=True, slots=True)
class Target:
    """What Pointsman on PostgreSQL is to reach; ``at_least`` or else at most."""

    title: str
    value: float
    limit: float
    at_least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether it is reached."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def targets(found: Round) -> Sequence[Target]:
    """How Pointsman stands to the others, each figure a ratio of one run but for the memory."""
    ours, echo, handwritten = found["pointsman"], found["echo"], found["handwritten"]
    return (
        Target("rate / echo", ours.per_second / echo.per_second, 1),
        Target("rate / hand-written", ours.per_second / handwritten.per_second, 5),
        Target("light p50 / echo's", ours.light_p50_ms / echo.light_p50_ms, 3, at_least=False),
        Target("peak memory, MB", ours.peak_mb, 150, at_least=False),
    )
