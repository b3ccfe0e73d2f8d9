"""Measures of the database: how long batches take there, and how often they are repeated."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class RepeatCause(StrEnum):
    """Why a transaction is tried again."""

    AWAY = "away"
    UNUSABLE = "unusable"
    CONTENTION = "contention"
    DUPLICATE = "duplicate"
    SLOW = "slow"


class StorageMeasures:
    """Transactions as they are committed or repeated."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._database = Histogram(
            "pointsman_database_seconds",
            "Time of a batch's transaction that the database took, from its begin to its commit.",
            registry=registry,
            buckets=_SECONDS,
        )
        self._rules = Histogram(
            "pointsman_rules_seconds",
            "Time of a batch's transaction that rules took, with the SQL of users' own.",
            registry=registry,
            buckets=_SECONDS,
        )
        retries = Counter(
            "pointsman_transaction_retries",
            "Transactions that failed in passing and were tried again, by cause.",
            ("cause",),
            registry=registry,
        )
        self._retries = {cause: retries.labels(cause.value) for cause in RepeatCause}

    def committed(self, database_seconds: float, rules_seconds: float) -> None:
        """A batch's transaction was committed."""
        self._database.observe(database_seconds)
        self._rules.observe(rules_seconds)

    def repeated(self, cause: RepeatCause) -> None:
        """A transaction is tried again."""
        self._retries[cause].inc()
