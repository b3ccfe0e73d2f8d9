"""A history in figures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tests.chaos.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How much there was; ``str`` of it is a few lines for people.

    Args:
        requests: messages with an id of their own, repeats not counted.
        copies: messages published, repeats counted.
        unconfirmed: requests that the broker confirmed no copy of.
        decisions: on record, by verdict and code.
        attempts: requests by how often they were decided.
        failures: how often requests failed and were tried again.
        heard: messages that subscribers received.
        duplicates: how many of these they had had before, by message id.
        longest_gap: for how many seconds, at the longest, nothing was decided.
        span: seconds from the first decision to the last.
    """

    requests: int
    copies: int
    unconfirmed: int
    decisions: Mapping[tuple[str, str | None], int]
    attempts: Mapping[int, int]
    failures: int
    heard: int
    duplicates: int
    longest_gap: float
    span: float

    @classmethod
    def of(cls, history: History) -> "Summary":
        """The history's figures."""
        rows = history.rows
        tries = Counter(record.request_id for record in rows.decisions)
        moments = sorted(record.decided_at for record in rows.decisions)
        first_heard = {(heard.subscription, heard.message_id) for heard in history.heard}
        return cls(
            requests=len(history.sent),
            copies=sum(sent.copies for sent in history.sent),
            unconfirmed=sum(not sent.confirmed for sent in history.sent),
            decisions=Counter((record.decision, record.code) for record in rows.decisions),
            attempts=Counter(tries.values()),
            failures=sum(begun.failures for begun in rows.begun),
            heard=len(history.heard),
            duplicates=len(history.heard) - len(first_heard),
            longest_gap=max(_gaps(moments), default=0.0),
            span=(moments[-1] - moments[0]).total_seconds() if moments else 0.0,
        )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"{self.requests:,} requests in {self.copies:,} copies,"
            f" {self.unconfirmed:,} never confirmed"
        )
        yield (
            f"{sum(self.decisions.values()):,} decisions in {self.span:,.1f} s,"
            f" at the longest none for {self.longest_gap:,.1f} s"
        )
        for (verdict, code), times in sorted(
            self.decisions.items(), key=lambda item: (item[0][0], item[0][1] or "")
        ):
            yield f"  {times:>9,} {verdict}{f', {code}' if code else ''}"
        attempts = ", ".join(f"{k}: {many:,}" for k, many in sorted(self.attempts.items()))
        yield f"requests by attempts: {attempts or 'none'}; {self.failures:,} failures"
        yield f"{self.heard:,} messages heard, {self.duplicates:,} of them duplicates"


def _gaps(moments: Iterable[datetime]) -> Iterator[float]:
    for before, after in pairwise(moments):
        yield (after - before).total_seconds()
