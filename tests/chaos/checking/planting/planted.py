"""What planting a fault takes: choosing where, and changing a history just there."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from consumer.wire.decisions import Decision, Verdict, identity, message_id, routing_keys
from persistence.records import DecisionRecord, Forward
from tests.chaos.checking.ledger import Ruled, open_ledger
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import EVERYTHING, Heard, History, Sent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Planted:
    """A history with one fault, and the violations, by kind and subject, that name it."""

    history: History
    named: frozenset[tuple[ViolationKind, str]]


Plant = Callable[[History, Random], Planted]


def planted(history: History, *named: tuple[ViolationKind, str]) -> Planted:
    """The fault and its names."""
    return Planted(history, frozenset(named))


def one_of(rng: Random, candidates: Iterable[T]) -> T:
    """One of them; that there is none is a fault of the histories."""
    return rng.choice(list(candidates))


def with_rows(history: History, **changes: Any) -> History:
    """The history with other rows."""
    return replace(history, rows=replace(history.rows, **changes))


def all_but(values: Sequence[T], *dropped: T) -> list[T]:
    """The values, less those that are dropped."""
    gone = {id(each) for each in dropped}
    return [value for value in values if id(value) not in gone]


def exchanged(values: Sequence[T], old: T, new: T) -> list[T]:
    """The values with another in one's place."""
    return [new if value is old else value for value in values]


def subject(record: DecisionRecord) -> str:
    """What a violation about a decision names."""
    return f"{record.request_id}/{record.attempt}"


def ruled(history: History) -> Sequence[Ruled]:
    """All decisions with what they say."""
    return list(open_ledger(history).decided.values())


def senders(history: History, record: DecisionRecord) -> Sequence[Sent]:
    """What was sent under the decision's request id."""
    return [sent for sent in history.sent if sent.request_id == record.request_id]


def lasting_aborts(history: History) -> list[DecisionRecord]:
    """The last decisions on requests that were aborted for no fault and hang on nothing else."""
    aborts = [
        record
        for record in history.rows.decisions
        if record.decision == Verdict.ABORT and record.forward is Forward.NONE
    ]
    return [record for record in aborts if len(senders(history, record)) == 1]


def with_decision(history: History, record: DecisionRecord, sender: Sent | None) -> History:
    """The history with one decision more, heard as it should be."""
    correlation_id = (sender and sender.correlation_id) or record.request_id
    known_by = identity(record.request_id, record.attempt)
    messages = [
        (EVERYTHING, key, message_id(known_by, purpose))
        for purpose, key in routing_keys(record.body, record.run_kind, record.run_id)
    ]
    if sender is not None and sender.reply_to is not None:
        messages.append((sender.reply_to, sender.reply_to, message_id(known_by, "reply")))
    heard = [
        Heard(
            subscription=subscription,
            routing_key=routing_key,
            message_id=id_,
            correlation_id=correlation_id,
            body=record.body,
            at=record.decided_at.timestamp(),
        )
        for subscription, routing_key, id_ in messages
    ]
    told = with_rows(history, decisions=[*history.rows.decisions, record])
    return replace(told, heard=[*told.heard, *heard])


def without_decision(history: History, record: DecisionRecord) -> History:
    """The history as if a decision had never been: not on record, and nobody heard it."""
    told = with_rows(history, decisions=all_but(history.rows.decisions, record))
    return replace(told, heard=[heard for heard in told.heard if heard.body != record.body])


def retold(record: DecisionRecord, **told: Any) -> DecisionRecord:
    """The decision with bytes that tell something else, and the columns that tell it too."""
    body = Decision.model_validate_json(record.body).model_copy(update=told).to_bytes()
    columns = {name: value for name, value in told.items() if name in DecisionRecord.__slots__}
    return replace(record, body=body, **columns)


def with_retold(history: History, record: DecisionRecord, new: DecisionRecord) -> History:
    """The history with another decision in one's place, as everybody heard it."""
    told = with_rows(history, decisions=exchanged(history.rows.decisions, record, new))
    heard = [
        replace(each, body=new.body) if each.body == record.body else each for each in told.heard
    ]
    return replace(told, heard=heard)
