"""Measures of what is taken, decided and sent round."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from consumer.health.measures.ages import Ages
from rules.runs import RunKind

NONE = "none"
OTHER = "other"

MOST_CODES = 100

_BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class SentRound(StrEnum):
    """Why a request was sent round instead of being settled."""

    DELAY = "delay"
    FAILURE = "failure"
    MOVED = "moved"


class GoverningMeasures:
    """Requests as they come and go."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._batches = Histogram(
            "pointsman_batch_messages",
            "Messages governed together, in one transaction where all went well.",
            registry=registry,
            buckets=_BATCHES,
        )
        self._in_flight = Gauge(
            "pointsman_requests_in_flight",
            "Messages being governed or published about, not acknowledged yet.",
            registry=registry,
        )
        self._redelivered = Counter(
            "pointsman_redelivered",
            "Messages that the broker had delivered before, to this consumer or to another.",
            registry=registry,
        )
        self._replies_refused = Counter(
            "pointsman_replies_refused",
            "Requests whose reply_to is not permitted: answered on the exchange only.",
            registry=registry,
        )
        self._repeated = Counter(
            "pointsman_decisions_repeated",
            "Decisions that were on record, published again for a message that came again.",
            registry=registry,
        )
        self._queue = Ages(
            "pointsman_queue_seconds",
            "From a request's timestamp until it was taken from its queue.",
            registry,
        )
        self._decision = Ages(
            "pointsman_decision_seconds",
            "From a request's timestamp until its decision was published.",
            registry,
        )
        self._decided = _decisions(registry)
        self._sent_round = _sent_round(registry)

    @contextmanager
    def in_flight(self, messages: int) -> Iterator[None]:
        """So many messages are at work for as long as the block lasts."""
        self._in_flight.inc(messages)
        try:
            yield
        finally:
            self._in_flight.dec(messages)

    def batch(self, messages: int, redelivered: int) -> None:
        """So many messages were governed together."""
        self._batches.observe(messages)
        self._redelivered.inc(redelivered)

    def decided(self, kind: RunKind | None, decision: str, code: str | None, times: int) -> None:
        """So many decisions of one sort were made and published."""
        self._decided(kind or NONE, decision, code or NONE, times)

    def aged(self, queue_seconds: float, decision_seconds: float) -> None:
        """How old a request was, by its producer's clock, when it was taken and when decided."""
        self._queue.observe(queue_seconds)
        self._decision.observe(decision_seconds)

    def repeated(self) -> None:
        """A decision on record was published again."""
        self._repeated.inc()

    def reply_refused(self) -> None:
        """A ``reply_to`` was not permitted."""
        self._replies_refused.inc()

    def sent_round(self, why: SentRound) -> None:
        """A request will come again by itself."""
        self._sent_round[why].inc()


def _decisions(registry: CollectorRegistry | None) -> Callable[[str, str, str, int], None]:
    counter = Counter(
        "pointsman_decisions",
        "Decisions by kind of run, decision and code, each attempt of a request counted once.",
        ("kind", "decision", "code"),
        registry=registry,
    )
    codes: set[str] = set()

    @cache
    def child(kind: str, decision: str, code: str) -> Counter:
        return counter.labels(kind, decision, code)

    def count(kind: str, decision: str, code: str, times: int) -> None:
        # Rules of users' own may put anything into a code, and each makes series of its own.
        if code not in codes:
            if len(codes) == MOST_CODES:
                code = OTHER
            else:
                codes.add(code)
        child(kind, decision, code).inc(times)

    return count


def _sent_round(registry: CollectorRegistry | None) -> dict[SentRound, Counter]:
    counter = Counter(
        "pointsman_sent_round",
        "Requests sent to the ladder of delays, or to their own partition, to come again.",
        ("cause",),
        registry=registry,
    )
    return {why: counter.labels(why.value) for why in SentRound}
