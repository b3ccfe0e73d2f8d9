"""A histogram of how old requests are, cheap enough to be told of every single one."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

OLDEST = 86_400.0
"""In seconds. What is older counts as this old: timestamps are whatever producers make of them."""

_BOUNDS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 3_600.0, 21_600.0, OLDEST)


class Ages(Collector):
    """Ages in seconds, by producers' clocks: whole seconds mostly, and perhaps in the future."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry | None) -> None:
        self._name = name
        self._documentation = documentation
        self._counts = [0] * len(_BOUNDS)
        self._sum = 0.0
        if registry is not None:
            registry.register(self)

    def observe(self, seconds: float) -> None:
        """Count one."""
        age = min(max(seconds, 0.0), OLDEST)
        self._counts[bisect_left(_BOUNDS, age)] += 1
        self._sum += age

    def collect(self) -> Iterator[Metric]:
        """The histogram as it is now."""
        below = list(accumulate(self._counts))
        buckets = [(str(bound), count) for bound, count in zip(_BOUNDS, below, strict=True)]
        buckets.append(("+Inf", below[-1]))
        yield HistogramMetricFamily(
            self._name, self._documentation, buckets=buckets, sum_value=self._sum
        )
