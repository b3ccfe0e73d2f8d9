"""What ``Readiness`` knows, as metrics read when they are asked for."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from consumer.health.readiness import Obstacle, Readiness


class Pauses(Collector):
    """Whether the consumer governs, and what keeps it from that."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        yield GaugeMetricFamily(
            "pointsman_ready",
            "1 where requests are being governed, or would be if there were any.",
            value=int(self._readiness.is_ready),
        )
        paused = GaugeMetricFamily(
            "pointsman_paused",
            "1 where this keeps the consumer from governing.",
            labels=("obstacle",),
        )
        pauses = CounterMetricFamily(
            "pointsman_pauses", "How often this came into the way.", labels=("obstacle",)
        )
        hindrances, counted = self._readiness.hindrances, self._readiness.pauses
        for obstacle in Obstacle:
            paused.add_metric((obstacle.value,), int(obstacle in hindrances))
            pauses.add_metric((obstacle.value,), counted.get(obstacle, 0))
        yield paused
        yield pauses
