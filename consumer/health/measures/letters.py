"""Measures of dead letters."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter


class LetterMeasures:
    """Dead letters as this consumer records them."""

    def __init__(
        self, reasons: Iterable[str] = (), registry: CollectorRegistry | None = None
    ) -> None:
        self._recorded = Counter(
            "pointsman_dead_letters",
            "Dead letters moved from their queue into their table, by reason.",
            ("reason",),
            registry=registry,
        )
        for reason in reasons:
            self._recorded.labels(reason)

    def recorded(self, reason: str) -> None:
        """A dead letter was recorded."""
        self._recorded.labels(reason).inc()
