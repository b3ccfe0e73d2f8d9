"""All metrics of one consumer, in a registry of its own, as text that Prometheus reads."""

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from consumer.health.measures.governing import GoverningMeasures
from consumer.health.measures.letters import LetterMeasures
from consumer.health.measures.pauses import Pauses
from consumer.health.measures.publishing import PublishingMeasures
from consumer.health.measures.storage import StorageMeasures
from consumer.health.readiness import Readiness

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Every measure of a consumer; each of its parts is given to whom it concerns.

    ``letter_reasons`` are those that dead letters can have.
    """

    def __init__(self, readiness: Readiness, letter_reasons: Iterable[str] = ()) -> None:
        self.readiness = readiness
        self._registry = CollectorRegistry()
        self.governing = GoverningMeasures(self._registry)
        self.storage = StorageMeasures(self._registry)
        self.publishing = PublishingMeasures(self._registry)
        self.letters = LetterMeasures(letter_reasons, self._registry)
        self._registry.register(Pauses(readiness))
        build = Gauge(
            "pointsman_build_info",
            "1, with the version of Pointsman.",
            ("version",),
            registry=self._registry,
        )
        build.labels(version("pointsman")).set(1)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of them as they are now, of the content type ``CONTENT_TYPE``."""
        return generate_latest(_WithoutBirthdays(self._registry))


class _WithoutBirthdays(Collector):
    """A registry less the time at which each series came into being, twice the series for nothing.

    The library can leave it out by itself, but only for a whole process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [
                sample for sample in metric.samples if not sample.name.endswith("_created")
            ]
            yield metric
