"""Measures of what the broker or a subscriber would not take."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter


class Recipient(StrEnum):
    """Whom a decision is published to."""

    REPLY = "reply"
    EXCHANGE = "exchange"


class PublishingMeasures:
    """Publishes that were refused or returned."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._refused = Counter(
            "pointsman_forwards_refused",
            "Delayed requests and dead letters that the broker refused; they are published again.",
            registry=registry,
        )
        undelivered = Counter(
            "pointsman_decisions_undelivered",
            "Decisions given up, since a reply queue is gone or a subscriber's is full.",
            ("to",),
            registry=registry,
        )
        self._undelivered = {to: undelivered.labels(to.value) for to in Recipient}

    def forwards_refused(self, messages: int) -> None:
        """The broker refused so many of what it must keep."""
        self._refused.inc(messages)

    def undelivered(self, to: Recipient) -> None:
        """A decision was given up."""
        self._undelivered[to].inc()
