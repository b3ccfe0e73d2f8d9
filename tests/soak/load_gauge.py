"""The load as its own side counts it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.gauges import CONFIRMED, DECIDED, P50, P99, PENDING, REPEATED, SENT, Readings
from tests.soak.load import Load


@dataclass(frozen=True, slots=True)
class LoadGauge:
    """Counts since the start, and how long decisions took since the last reading."""

    load: Load

    async def read(self) -> Readings:
        """Counts, and where anything was decided the median wait and its 99th percentile."""
        tally = self.load.tally
        waits = tally.take_waits()
        counts: dict[str, float] = {
            SENT: tally.sent,
            CONFIRMED: tally.confirmed,
            DECIDED: tally.decided,
            REPEATED: tally.repeated,
            PENDING: tally.pending,
        }
        if waits:
            counts |= {P50: percentile(waits, 50), P99: percentile(waits, 99)}
        return counts


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many percent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
