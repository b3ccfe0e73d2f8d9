"""What is on record was heard, always the same bytes under the same ids, and nothing else was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from consumer.wire.decisions import identity, message_id, routing_keys
from consumer.wire.names import Code
from persistence.records import RequestKey
from tests.chaos.checking.ledger import Ledger, Ruled, digest
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import EVERYTHING, Heard, History

_REPLY = "reply"


@dataclass(frozen=True, slots=True)
class _Due:
    """A message that carries a decision on record; a reply has no routing key of its own."""

    ruled: Ruled
    routing_key: str | None


@dataclass(slots=True)
class _Ears:
    """What was heard so far.

    ``announced`` are message ids, ``answered`` those with the reply queue. ``others`` are the bytes
    of answers that belong to no record, by message id.
    """

    announced: set[str] = field(default_factory=set)
    answered: set[tuple[str, str]] = field(default_factory=set)
    others: dict[str, bytes] = field(default_factory=dict)
    nameless: set[str] = field(default_factory=set)


def check_publishing(history: History, ledger: Ledger) -> Iterator[Violation]:
    """Compare all that was heard with all that is on record."""
    due: dict[str, _Due] = {}
    for ruled in ledger.decided.values():
        for id_, message in _messages(ruled):
            if id_ in due:
                details = f"{id_} is {due[id_].ruled.subject}'s too"
                yield Violation(ViolationKind.WRONG_MESSAGE_ID, ruled.subject, details)
            due[id_] = message
    ears, reuses = _Ears(), _refused_reuses(ledger)
    for heard in history.heard:
        known = due.get(heard.message_id)
        if known is not None:
            yield from _check_known(heard, known, ledger)
            if heard.subscription == EVERYTHING:
                ears.announced.add(heard.message_id)
            else:
                ears.answered.add((heard.subscription, heard.message_id))
        else:
            yield from _check_other(heard, ledger, reuses, ears)
    yield from _check_announced(due, ears)
    yield from _check_answered(ledger, reuses, ears)
    yield from _check_nameless(ledger, ears)


def _messages(ruled: Ruled) -> Iterator[tuple[str, _Due]]:
    record = ruled.record
    known_by = identity(*ruled.key)
    yield message_id(known_by, _REPLY), _Due(ruled, None)
    for purpose, routing_key in routing_keys(record.body, record.run_kind, record.run_id):
        yield message_id(known_by, purpose), _Due(ruled, routing_key)


def _refused_reuses(ledger: Ledger) -> Mapping[str, RequestKey]:
    """The message ids of the answers to requests whose id belongs to another one."""
    found: dict[str, RequestKey] = {}
    for request_id, sent in ledger.sent.items():
        first = ledger.decided.get((request_id, 0))
        if len(sent) == 1 or first is None:
            continue
        for each in sent:
            if digest(each) != first.record.body_sha256:
                found[_reuse_id(request_id, digest(each))] = first.key
    return found


def _reuse_id(request_id: str, body_sha256: bytes) -> str:
    return message_id(identity(request_id, None, body_sha256), _REPLY)


def _check_known(heard: Heard, due: _Due, ledger: Ledger) -> Iterator[Violation]:
    subject = due.ruled.subject
    if heard.body != due.ruled.record.body:
        details = f"{heard.message_id} to {heard.subscription}: {heard.body!r}"
        yield Violation(ViolationKind.BYTES_CHANGED, subject, details)
    is_reply = due.routing_key is None
    if heard.subscription == EVERYTHING if is_reply else heard.routing_key != due.routing_key:
        details = f"{heard.routing_key} instead of {due.routing_key or 'its reply queue'}"
        yield Violation(ViolationKind.WRONG_ROUTING_KEY, subject, details)
    request_id = due.ruled.record.request_id
    sent = ledger.sent.get(request_id)
    if sent and all((each.correlation_id or request_id) != heard.correlation_id for each in sent):
        details = f"{heard.correlation_id} to {heard.subscription}"
        yield Violation(ViolationKind.WRONG_CORRELATION, subject, details)


def _check_other(
    heard: Heard, ledger: Ledger, reuses: Mapping[str, RequestKey], ears: _Ears
) -> Iterator[Violation]:
    """Look at what carries no id of a decision on record; only two kinds of answer may."""
    told = _told(heard.body)
    request_id, attempt = told.get("request_id"), told.get("attempt")
    if request_id is None and told.get("code") == Code.INVALID and ledger.nameless:
        if heard.subscription == EVERYTHING:
            ears.nameless.add(heard.message_id)
    elif heard.message_id in reuses and heard.subscription != EVERYTHING:
        ears.answered.add((heard.subscription, heard.message_id))
    elif (request_id, attempt) in ledger.decided:
        subject = f"{request_id}/{attempt}"
        yield Violation(ViolationKind.WRONG_MESSAGE_ID, subject, heard.message_id)
        return
    else:
        subject = f"{request_id}/{attempt}"
        details = f"{heard.message_id} to {heard.subscription}: {heard.body!r}"
        yield Violation(ViolationKind.NOT_ON_RECORD, subject, details)
        return
    if ears.others.setdefault(heard.message_id, heard.body) != heard.body:
        subject = f"{request_id}/{attempt}"
        yield Violation(ViolationKind.BYTES_CHANGED, subject, heard.message_id)


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        told = from_json(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _check_announced(due: Mapping[str, _Due], ears: _Ears) -> Iterator[Violation]:
    for id_, message in due.items():
        if message.routing_key is not None and id_ not in ears.announced:
            subject = message.ruled.subject
            yield Violation(ViolationKind.UNPUBLISHED, subject, f"under {message.routing_key}")


def _check_answered(
    ledger: Ledger, reuses: Mapping[str, RequestKey], ears: _Ears
) -> Iterator[Violation]:
    for ruled in ledger.decided.values():
        for sender in ledger.senders(ruled.record):
            if sender.reply_to is None:
                continue
            id_ = message_id(identity(*ruled.key), _REPLY)
            if (sender.reply_to, id_) not in ears.answered:
                yield Violation(ViolationKind.UNANSWERED, ruled.subject, sender.reply_to)
    for request_id, _ in reuses.values():
        for sender in ledger.sent[request_id]:
            id_ = _reuse_id(request_id, digest(sender))
            awaited = id_ in reuses and sender.confirmed and sender.reply_to is not None
            if awaited and (sender.reply_to, id_) not in ears.answered:
                details = f"that its id belongs to another, to {sender.reply_to}"
                yield Violation(ViolationKind.UNANSWERED, f"{request_id}/None", details)


def _check_nameless(ledger: Ledger, ears: _Ears) -> Iterator[Violation]:
    """See that each message without an id was answered: such an answer has an id of its own."""
    sent = sum(each.confirmed for each in ledger.nameless)
    if len(ears.nameless) < sent:
        details = f"{sent} were sent without an id, {len(ears.nameless)} such answers were heard"
        yield Violation(ViolationKind.UNPUBLISHED, "None/0", details)
