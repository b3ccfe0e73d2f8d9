"""One contender in one round: what it carries, what that takes, and how long decisions take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.gauge import gauged
from benchmarks.peers.contenders import Contender, at_work
from benchmarks.peers.load import at_a_rate, audience, in_a_window, requests
from benchmarks.world import Place

WINDOW = 256
"""So many requests are under way where the latency under load is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything: new runs, of three transitions each, and seconds."""

    full_runs: int = 3_000
    window_runs: int = 700
    light_seconds: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was seen of a contender; latencies are from publish to decision.

    ``full``: as many requests wait as it can take. ``window``: ``WINDOW`` are under way. ``light``:
    at a rate that is the same for all, a tenth of the echo's.
    """

    per_second: float
    cpu_ms: float
    peak_mb: float
    window_p50_ms: float
    window_p99_ms: float
    light_p50_ms: float
    light_p99_ms: float


async def measure(
    contender: Contender, place: Place, size: Size, light_per_second: float | None
) -> Measured:
    """Measure; the light load is a tenth of the contender's own rate where none is given."""
    full = list(requests(size.full_runs))
    async with audience(place.amqp_url) as present:
        await present.store(full)
        async with at_work(contender, place) as process:
            await present.hear_some(1)
            count, began = len(full) - 1, time.perf_counter()
            async with gauged(process.pid) as used:
                await present.hear(count)
                seconds = time.perf_counter() - began
            rate = count / seconds
            await in_a_window(present, list(requests(size.window_runs)), WINDOW)
            window = present.take_delays()
            light_rate = light_per_second or rate / 10
            light = list(requests(int(light_rate * size.light_seconds / 3) + 1))
            await at_a_rate(present, light, light_rate)
            delays = present.take_delays()
    return Measured(
        per_second=rate,
        cpu_ms=used.cpu_seconds / count * 1_000,
        peak_mb=used.peak_bytes / 1e6,
        window_p50_ms=quantile(window, 0.5) * 1_000,
        window_p99_ms=quantile(window, 0.99) * 1_000,
        light_p50_ms=quantile(delays, 0.5) * 1_000,
        light_p99_ms=quantile(delays, 0.99) * 1_000,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the ordered values does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
