"""One run's requests are decided in the order in which they were sent."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from tests.chaos.checking.ledger import Ledger, Ruled
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History, Sent

_Failures = Mapping[UUID, Mapping[int, int]]
"""By run and lane, where the first request stands that failed: what came after may have followed
it into the ladder, to take its place anew."""


def check_order(history: History, ledger: Ledger) -> Iterator[Violation]:
    """Compare the order of first attempts with that of publishing, and versions with time.

    First attempts have their order by when they are first governed, so that a request counts only
    where that is known: sent once, confirmed, straight to its partition, and neither failed itself
    nor after one of its run that did.
    """
    failures = _failures(history, ledger)
    lanes: dict[tuple[UUID, int], list[tuple[int, Ruled]]] = defaultdict(list)
    for request_id, sent in ledger.sent.items():
        first = ledger.decided.get((request_id, 0))
        if first is None or len(sent) > 1 or sent[0].run_id is None:
            continue
        if _has_its_place(sent[0], failures.get(sent[0].run_id, {})):
            lanes[sent[0].run_id, sent[0].lane].append((sent[0].position, first))
    for requests in lanes.values():
        yield from _check_lane([ruled for _, ruled in sorted(requests, key=lambda one: one[0])])
    yield from _check_versions(ledger)


def _has_its_place(sent: Sent, failures: Mapping[int, int]) -> bool:
    if not sent.confirmed or sent.copies > 1 or sent.detoured:
        return False
    # A run with a failure in one lane keeps no order in another: they are not comparable.
    return not failures or sent.position < failures.get(sent.lane, -1)


def _failures(history: History, ledger: Ledger) -> _Failures:
    failures: dict[UUID, dict[int, int]] = defaultdict(dict)
    for begun in history.rows.begun:
        if begun.failures == 0:
            continue
        for sent in ledger.sent.get(begun.request_id, ()):
            lanes = failures[begun.run_id]
            lanes[sent.lane] = min(sent.position, lanes.get(sent.lane, sent.position))
    return failures


def _check_lane(requests: list[Ruled]) -> Iterator[Violation]:
    latest: Ruled | None = None
    for ruled in requests:
        if latest is not None and ruled.record.decided_at < latest.record.decided_at:
            details = f"before {latest.subject}, which had been sent before it"
            yield Violation(ViolationKind.OUT_OF_ORDER, ruled.subject, details)
        else:
            latest = ruled


def _check_versions(ledger: Ledger) -> Iterator[Violation]:
    """See that no decision shows a run older than an earlier decision showed it."""
    views: dict[UUID, list[tuple[datetime, int, str]]] = defaultdict(list)
    for ruled in ledger.decided.values():
        for run_id, version in ruled.seen:
            views[run_id].append((ruled.record.decided_at, version, ruled.subject))
    for seen in views.values():
        newest = 0
        for at, version, subject in sorted(seen):
            if version < newest:
                details = f"version {version} at {at}, after version {newest}"
                yield Violation(ViolationKind.VERSION_BACKWARDS, subject, details)
            newest = max(newest, version)
