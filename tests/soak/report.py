"""What a long run came to, as text."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.soak import gauges
from tests.soak.gauges import of_consumer
from tests.soak.plan import CONSUMERS, Plan, Result
from tests.soak.verdict import MIB, Finding

_MARKS = {True: "ok", False: "NO", None: "--"}
_WIDTH = 52


def summary(plan: Plan, result: Result, findings: Sequence[Finding]) -> str:
    """A table of what was done, what was measured, and what was found."""
    return "\n".join([*_done(plan, result), "", *_measured(result), "", *_found(findings)])


def verdict(findings: Sequence[Finding]) -> str:
    """One sentence: flat, or why not."""
    broken = [finding for finding in findings if finding.holds is False]
    if not broken:
        return "flat: everything held"
    return "not flat: " + "; ".join(f"{what}: {found}" for what, found, _, _ in broken)


def log_events(log: Path) -> Counter[str]:
    """How often a consumer's log tells which event; what is no event counts by its first words."""
    events: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
            events[f"{event['level']} {event['event']}"] += 1
        except (ValueError, KeyError, TypeError):
            events[f"other: {line[:60]}"] += 1
    return events


def _done(plan: Plan, result: Result) -> Iterator[str]:
    rows = result.samples.rows
    minutes = (rows[-1]["seconds"] if rows else 0) / 60
    yield f"{minutes:.1f} min, {plan.rate:g} requests a second, seed {plan.seed}"
    for name, count in result.totals.items():
        yield _row(name, f"{count:>10,}")
    for name, count in Counter(fault.name for fault in result.faults).items():
        yield _row(f"fault: {name}", f"{count:>10}")


def _measured(result: Result) -> Iterator[str]:
    yield _row("", f"{'first':>12}{'least':>12}{'most':>12}{'last':>12}")
    evidence = result.evidence
    first, last = (evidence.first, evidence.last) if evidence else ({}, {})
    for column, what, divisor in _shown():
        values = [point.value / divisor for point in result.samples.series(column)]
        if values:
            ends = [readings.get(column, math.nan) / divisor for readings in (first, last)]
            shown = (ends[0], min(values), max(values), ends[1])
            yield _row(what, "".join(f"{value:>12,.4g}" for value in shown))


def _shown() -> Iterator[tuple[str, str, float]]:
    """Columns, what they are called here, and what they are divided by."""
    for number in range(1, CONSUMERS + 1):
        yield of_consumer(gauges.USS, number), f"consumer {number}: own memory, MiB", MIB
        yield of_consumer(gauges.HANDLES, number), f"consumer {number}: file handles", 1
        yield of_consumer(gauges.THREADS, number), f"consumer {number}: threads", 1
        yield of_consumer(gauges.METRIC_SERIES, number), f"consumer {number}: time series", 1
    yield gauges.CONNECTIONS, "connections to the broker", 1
    yield gauges.CHANNELS, "channels", 1
    yield gauges.SUBSCRIPTIONS, "subscriptions", 1
    yield gauges.SESSIONS, "sessions on the database", 1
    yield gauges.BROKER_MEMORY, "the broker's memory, MiB", MIB
    yield gauges.REQUESTS_WAITING, "requests waiting", 1
    yield gauges.P50, "median wait for a decision, ms", 1e-3
    yield gauges.P99, "99th percentile, ms", 1e-3


def _found(findings: Sequence[Finding]) -> Iterator[str]:
    for what, found, demanded, holds in findings:
        yield f"{_MARKS[holds]}  {_row(what, f'{found} (demanded: {demanded})')}"


def _row(name: str, values: str) -> str:
    return f"{name:<{_WIDTH}}{values}"
