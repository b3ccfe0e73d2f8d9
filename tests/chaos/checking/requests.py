"""Nothing is lost, nothing is decided twice, and nobody is blamed for another's fault."""

from collections.abc import Iterator
from datetime import timedelta

from consumer.wire.body import OnDelay
from consumer.wire.decisions import Verdict
from consumer.wire.names import Code
from consumer.worker.setbacks import CONDEMNED_AT
from persistence.records import BegunRecord, Forward, RequestKey
from tests.chaos.checking.ledger import Ledger, Ruled
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History, Sent

BROKERS_TIMERS = timedelta(seconds=0.5)
"""How much earlier than told a delayed request may come back."""

CONDEMNING = frozenset({Code.RULE_ERROR, Code.NOT_WRITTEN, Code.FAILED})
"""The codes that blame a request for what went wrong."""

_TO_DEAD_LETTERS = CONDEMNING | {Code.INVALID}


def check_requests(history: History, ledger: Ledger) -> Iterator[Violation]:
    """See that each request is decided, once for each time that it was to be proposed."""
    for request_id, sent in ledger.sent.items():
        if (request_id, 0) not in ledger.decided and any(each.confirmed for each in sent):
            details = f"sent {sum(each.copies for each in sent)} times"
            yield Violation(ViolationKind.LOST, request_id, details)
    begun = {(each.request_id, each.attempt): each for each in history.rows.begun}
    for key, ruled in ledger.decided.items():
        yield from _check_origin(ledger, ruled)
        yield from _check_following(ledger, ruled)
        yield from _check_blame(ledger, ruled, begun.get(key))


def _check_origin(ledger: Ledger, ruled: Ruled) -> Iterator[Violation]:
    record = ruled.record
    if record.request_id not in ledger.sent:
        yield Violation(ViolationKind.NOT_SENT, ruled.subject, record.decision)
        return
    senders = ledger.senders(record)
    if not senders:
        details = "nobody sent that body"
        yield Violation(ViolationKind.RECORD_DIFFERS, ruled.subject, details)
    for sender in senders:
        if (sender.run_id, sender.kind) != (record.run_id, record.run_kind):
            details = f"sent for {sender.kind} {sender.run_id}, decided for {record.run_id}"
            yield Violation(ViolationKind.RECORD_DIFFERS, ruled.subject, details)
        if record.forward is not _due_forward(ruled, sender):
            details = f"{record.decision}, code {record.code}, forwards {record.forward}"
            yield Violation(ViolationKind.RECORD_DIFFERS, ruled.subject, details)


def _due_forward(ruled: Ruled, sender: Sent) -> Forward:
    record = ruled.record
    if record.decision == Verdict.ABORT and record.code in _TO_DEAD_LETTERS:
        return Forward.DEAD_LETTER
    if record.decision == Verdict.DELAY and sender.on_delay is OnDelay.RETRY:
        return Forward.DELAY
    return Forward.NONE


def _check_following(ledger: Ledger, ruled: Ruled) -> Iterator[Violation]:
    """See that this attempt has the one before it and the one after it, where there is to be one.

    That a delayed request is marked as forwarded proves less than that it came back, so that only
    this counts.
    """
    record = ruled.record
    if record.attempt > 0 and not _leads_on(ledger.decided.get(_neighbour(ruled, -1))):
        details = "the attempt before it is not on record, or is no delay"
        yield Violation(ViolationKind.ATTEMPT_UNFOUNDED, ruled.subject, details)
    if record.forward is not Forward.DELAY:
        return
    after = ledger.decided.get(_neighbour(ruled, 1))
    if after is None:
        details = f"delayed until {record.retry_at}, forwarded: {record.forwarded}"
        yield Violation(ViolationKind.ATTEMPT_LOST, ruled.subject, details)
    elif record.retry_at and after.record.decided_at < record.retry_at - BROKERS_TIMERS:
        details = f"delayed until {record.retry_at}, back at {after.record.decided_at}"
        yield Violation(ViolationKind.DELAY_CUT_SHORT, ruled.subject, details)


def _leads_on(before: Ruled | None) -> bool:
    return before is not None and before.record.forward is Forward.DELAY


def _neighbour(ruled: Ruled, distance: int) -> RequestKey:
    return ruled.record.request_id, ruled.record.attempt + distance


def _check_blame(ledger: Ledger, ruled: Ruled, begun: BegunRecord | None) -> Iterator[Violation]:
    """See that only what is faulty was condemned.

    A message that was begun so often that it is taken for what ends the process is condemned by
    right, even where it was something else that ended it.
    """
    record = ruled.record
    if record.code not in CONDEMNING or (begun is not None and begun.begun >= CONDEMNED_AT):
        return
    senders = ledger.senders(record)
    if senders and not any(sender.faulty for sender in senders):
        details = f"code {record.code}: {record.error_type}: {record.error}"
        yield Violation(ViolationKind.BLAMED, ruled.subject, details)
