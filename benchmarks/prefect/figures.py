"""What was measured of each contender, and what is told of it: medians, quantiles, ratios."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Kind(StrEnum):
    """What takes the runs through their states."""

    ENGINE = "Prefect, in-process"
    SERVER = "Prefect, over HTTP"
    ANSWERED = "Pointsman, clients wait"
    QUEUED = "Pointsman, requests wait"


@dataclass(frozen=True, slots=True)
class Contender:
    """One of a kind; ``clients`` is None where all has been sent before the work begins."""

    kind: Kind
    clients: int | None = None

    def __str__(self) -> str:
        if self.clients is None:
            return self.kind
        return f"{self.kind}, {self.clients} client{'s' if self.clients > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One contender in one round: transitions/s, CPU time of each, and memory at its most.

    ``latencies`` are seconds from a proposal to its answer, where somebody waited for one.
    """

    per_second: float
    cpu_ms: float
    peak_mb: float
    latencies: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """All rounds: medians, and quantiles of all latencies together, where there are any."""

    per_second: float
    cpu_ms: float
    peak_mb: float
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Pointsman beside the fastest of a kind of Prefect's.

    ``rate``: so many times as many transitions/s; ``cpu``: so many times less CPU time for each.
    """

    pointsman: Contender
    prefect: Contender
    rate: float
    cpu: float


def in_order(contenders: Iterable[Contender]) -> list[Contender]:
    """Kind by kind, and those with few clients first."""
    kinds = list(Kind)
    return sorted(contenders, key=lambda each: (kinds.index(each.kind), each.clients or 0))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summarise(readings: Sequence[Reading]) -> Summary:
    """What all rounds come to, of which there is at least one."""
    latencies = [latency for reading in readings for latency in reading.latencies]
    return Summary(
        per_second=median(reading.per_second for reading in readings),
        cpu_ms=median(reading.cpu_ms for reading in readings),
        peak_mb=median(reading.peak_mb for reading in readings),
        p50_ms=quantile(latencies, 0.5) * 1_000 if latencies else None,
        p99_ms=quantile(latencies, 0.99) * 1_000 if latencies else None,
    )


def ratios(summaries: Mapping[Contender, Summary]) -> Iterator[Ratio]:
    """Each kind of Pointsman's beside each kind of Prefect's, the fastest of each."""
    best = {kind: _fastest(kind, summaries) for kind in Kind}
    for pointsman in (best[Kind.QUEUED], best[Kind.ANSWERED]):
        for prefect in (best[Kind.ENGINE], best[Kind.SERVER]):
            mine, theirs = summaries[pointsman], summaries[prefect]
            yield Ratio(
                pointsman,
                prefect,
                rate=mine.per_second / theirs.per_second,
                cpu=theirs.cpu_ms / mine.cpu_ms,
            )


def _fastest(kind: Kind, summaries: Mapping[Contender, Summary]) -> Contender:
    of_kind = [contender for contender in summaries if contender.kind is kind]
    return max(of_kind, key=lambda contender: summaries[contender].per_second)
