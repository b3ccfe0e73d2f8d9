"""Whether a long run was flat."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from tests.soak import gauges
from tests.soak.gauges import Readings, of_consumer
from tests.soak.samples import Samples, Series

MEMORY_MIB_PER_HOUR = 8.0
"""A leak of 24 bytes a request, at 100 requests a second."""

LEAST_MINUTES = 14.0
"""A shorter second half tells nothing: holes in the heap still become more, and no object does."""

POOLED_SESSIONS = 5
"""How many sessions a consumer keeps open in its pool, at most."""

MIB = 2**20
_HOUR = 3_600.0
_MOST_POINTS = 400
_QUEUES = (
    gauges.REQUESTS_WAITING,
    gauges.LADDER_WAITING,
    gauges.LETTERS_WAITING,
    gauges.DECISIONS_WAITING,
)


class Finding(NamedTuple):
    """One thing that was looked at; ``holds`` is None where it could not be judged."""

    what: str
    found: str
    demanded: str
    holds: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run left behind.

    ``first`` and ``last`` are readings at quiet moments, before the first fault and at the end,
    empty where there was none. ``exits`` are the consumers' exit codes after SIGTERM, None for one
    that had ended before.
    """

    samples: Samples
    first: Readings
    last: Readings
    missing: int = 0
    unconfirmed: int = 0
    surprises: Mapping[str, int] = field(default_factory=dict)
    failed_faults: Sequence[str] = ()
    exits: Sequence[int | None] = ()


def judge(evidence: Evidence) -> list[Finding]:
    """All findings, in the order of a report."""
    return [*_of_requests(evidence), *_of_consumers(evidence), *_of_quiet_moments(evidence)]


def slope(series: Series) -> float:
    """By how much the values grow in an hour: the median of the slopes between any two of them.

    Unlike a line of least squares it does not mind a spike, nor one step from a plateau to the next
    (Theil and Sen). 0 where there are fewer than two points.
    """
    thinned = series[:: max(1, len(series) // _MOST_POINTS)]
    slopes = [
        (later.value - earlier.value) / (later.at - earlier.at)
        for earlier, later in combinations(thinned, 2)
        if later.at > earlier.at
    ]
    return statistics.median(slopes) * _HOUR if slopes else 0.0


def second_half(series: Series) -> Series:
    """The points of the second half of the time."""
    if not series:
        return series
    middle = (series[0].at + series[-1].at) / 2
    return [point for point in series if point.at >= middle]


def _of_requests(evidence: Evidence) -> Iterator[Finding]:
    yield _none("confirmed requests without a decision", evidence.missing)
    yield _none("requests that were never confirmed", evidence.unconfirmed)
    count = sum(evidence.surprises.values())
    found = "; ".join(f"{times} times {what}" for what, times in evidence.surprises.items())
    yield Finding("decisions other than were due", found or "0", "0", count == 0)
    failed = ", ".join(evidence.failed_faults)
    yield Finding("faults that could not be made", failed or "0", "0", not failed)


def _of_consumers(evidence: Evidence) -> Iterator[Finding]:
    for number, code in enumerate(evidence.exits, start=1):
        found = "ended before its time" if code is None else str(code)
        yield Finding(f"consumer {number}: exit code after SIGTERM", found, "0", code == 0)
        half = second_half(evidence.samples.series(of_consumer(gauges.USS, number)))
        yield memory_finding(f"consumer {number}: growth of its own memory", half)


def memory_finding(what: str, half: Series) -> Finding:
    """Whether a series of bytes is flat.

    A leak grows all the time: one that is not to be seen in each half of the series by itself is
    none. That forgives a single step in the very middle, which ``slope`` alone does not.
    """
    demanded = f"at most {MEMORY_MIB_PER_HOUR:g} MiB an hour"
    minutes = (half[-1].at - half[0].at) / 60 if half else 0.0
    later = second_half(half)
    growth = min(slope(half), slope(half[: -len(later)]), slope(later)) / MIB
    if minutes < LEAST_MINUTES:
        return Finding(what, f"too short to tell: {minutes:.1f} min", demanded, None)
    return Finding(what, f"{growth:+.1f} MiB an hour", demanded, growth <= MEMORY_MIB_PER_HOUR)


def _of_quiet_moments(evidence: Evidence) -> Iterator[Finding]:
    first, last = evidence.first, evidence.last
    for column, what in (
        (gauges.CONNECTIONS, "connections to the broker"),
        (gauges.CHANNELS, "channels"),
        (gauges.SUBSCRIPTIONS, "subscriptions"),
    ):
        yield _equal(what, first.get(column), last.get(column))
    consumers = range(1, len(evidence.exits) + 1)
    for number in consumers:
        column = of_consumer(gauges.PLAIN_HANDLES, number)
        what = f"consumer {number}: file handles that are no sockets"
        yield _equal(what, first.get(column), last.get(column))
        ready = last.get(of_consumer(gauges.READY, number))
        yield Finding(f"consumer {number}: ready at the end", _number(ready), "1", ready == 1)
    most = POOLED_SESSIONS * len(consumers)
    sessions = last.get(gauges.SESSIONS)
    yield Finding(
        "sessions on the database",
        f"{_number(first.get(gauges.SESSIONS))} → {_number(sessions)}",
        f"at most {most}",
        sessions is not None and sessions <= most,
    )
    for column in _QUEUES:
        yield _empty(column, last.get(column))


def _none(what: str, count: int) -> Finding:
    return Finding(what, str(count), "0", count == 0)


def _equal(what: str, first: float | None, last: float | None) -> Finding:
    found = f"{_number(first)} → {_number(last)}"
    return Finding(what, found, "equal", first is not None and first == last)


def _empty(column: str, depth: float | None) -> Finding:
    what = f"left in {column.replace('_', ' ').replace('queue ', 'queues of ')}"
    return Finding(what, _number(depth), "0", depth == 0)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
