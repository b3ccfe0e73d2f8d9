"""Decisions that are not heard, or otherwise than they should be."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from uuid import uuid4

from pydantic_core import from_json

from consumer.wire.decisions import message_id
from consumer.wire.names import Code
from persistence.records import DecisionRecord
from tests.chaos.checking.planting.planted import (
    Plant,
    Planted,
    all_but,
    exchanged,
    one_of,
    planted,
    retold,
    subject,
)
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import EVERYTHING, Heard, History


def _with(history: History, heard: Heard) -> History:
    return replace(history, heard=[*history.heard, heard])


def _without_message(history: History, message: Heard) -> History:
    """The history as if nobody had ever heard it, however often it was."""
    heard = [each for each in history.heard if each.message_id != message.message_id]
    return replace(history, heard=heard)


def _telling(
    history: History, rng: Random, *, announced: bool | None = None
) -> tuple[Heard, DecisionRecord]:
    """A message that carries a decision on record; announced, a reply, or one of both."""
    records = {record.body: record for record in history.rows.decisions}
    candidates = [
        heard
        for heard in history.heard
        if heard.body in records
        and (announced is None or announced == (heard.subscription == EVERYTHING))
    ]
    heard = one_of(rng, candidates)
    return heard, records[heard.body]


def _about_reuse(history: History, rng: Random) -> Heard:
    return one_of(rng, [each for each in history.heard if f'"{Code.ID_REUSED}"' in str(each.body)])


def a_decision_is_never_announced(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng, announced=True)
    named = (ViolationKind.UNPUBLISHED, subject(record))
    return planted(_without_message(history, heard), named)


def a_run_changed_along_is_never_announced(history: History, rng: Random) -> Planted:
    records = {each.body: each for each in history.rows.decisions if each.run_id is not None}
    along = [
        heard
        for heard in history.heard
        if heard.body in records
        and heard.subscription == EVERYTHING
        and not heard.routing_key.endswith(str(records[heard.body].run_id))
    ]
    heard = one_of(rng, along)
    named = (ViolationKind.UNPUBLISHED, subject(records[heard.body]))
    return planted(_without_message(history, heard), named)


def a_nameless_message_is_never_answered(history: History, rng: Random) -> Planted:
    del rng
    heard = [each for each in history.heard if b'"request_id":null' not in each.body]
    named = (ViolationKind.UNPUBLISHED, "None/0")
    return planted(replace(history, heard=heard), named)


def a_reply_never_comes(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng, announced=False)
    named = (ViolationKind.UNANSWERED, subject(record))
    return planted(_without_message(history, heard), named)


def a_refused_reuse_is_never_answered(history: History, rng: Random) -> Planted:
    unsure = {sent.request_id for sent in history.sent if not sent.confirmed}
    sure = [each for each in history.heard if _request_id(each) not in unsure]
    heard = _about_reuse(replace(history, heard=sure), rng)
    named = (ViolationKind.UNANSWERED, f"{_request_id(heard)}/None")
    return planted(_without_message(history, heard), named)


def _request_id(reuse: Heard) -> str:
    """Whose id was used again."""
    return str(from_json(reuse.body)["request_id"])


def a_decision_has_other_bytes(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng)
    changed = replace(heard, body=heard.body.replace(b"{", b"{ ", 1))
    named = (ViolationKind.BYTES_CHANGED, subject(record))
    return planted(replace(history, heard=exchanged(history.heard, heard, changed)), named)


def a_decision_is_told_anew(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng)
    anew = replace(heard, body=retold(record, reason="another").body)
    return planted(_with(history, anew), (ViolationKind.BYTES_CHANGED, subject(record)))


def a_refused_reuse_is_told_anew(history: History, rng: Random) -> Planted:
    heard = _about_reuse(history, rng)
    anew = replace(heard, body=heard.body.replace(b"This message_id", b"That message_id"))
    named = (ViolationKind.BYTES_CHANGED, f"{_request_id(heard)}/None")
    return planted(_with(history, anew), named)


def a_decision_has_two_message_ids(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng)
    other = replace(heard, message_id=str(uuid4()))
    return planted(_with(history, other), (ViolationKind.WRONG_MESSAGE_ID, subject(record)))


def a_routing_key_is_anothers(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng, announced=True)
    other = replace(heard, routing_key=f"task.accept.paused.{uuid4()}")
    named = (ViolationKind.WRONG_ROUTING_KEY, subject(record))
    return planted(replace(history, heard=exchanged(history.heard, heard, other)), named)


def a_reply_is_announced(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng, announced=False)
    everywhere = replace(heard, subscription=EVERYTHING)
    named = (ViolationKind.WRONG_ROUTING_KEY, subject(record))
    return planted(_with(history, everywhere), named)


def a_correlation_id_is_anothers(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng)
    other = replace(heard, correlation_id="another's")
    named = (ViolationKind.WRONG_CORRELATION, subject(record))
    return planted(replace(history, heard=exchanged(history.heard, heard, other)), named)


def a_decision_is_heard_that_was_never_made(history: History, rng: Random) -> Planted:
    heard, record = _telling(history, rng)
    unmade = retold(record, attempt=99)
    made_up = replace(heard, body=unmade.body, message_id=message_id("made up", "exchange"))
    return planted(_with(history, made_up), (ViolationKind.NOT_ON_RECORD, subject(unmade)))


def something_is_heard_that_is_no_decision(history: History, rng: Random) -> Planted:
    heard = replace(one_of(rng, history.heard), body=b"[]", message_id=str(uuid4()))
    return planted(_with(history, heard), (ViolationKind.NOT_ON_RECORD, "None/None"))


def a_refused_reuse_is_announced(history: History, rng: Random) -> Planted:
    heard = _about_reuse(history, rng)
    everywhere = replace(heard, subscription=EVERYTHING)
    named = (ViolationKind.NOT_ON_RECORD, f"{_request_id(heard)}/None")
    return planted(_with(history, everywhere), named)


def a_nameless_message_is_answered_that_nobody_sent(history: History, rng: Random) -> Planted:
    del rng
    [nameless, *more] = [sent for sent in history.sent if sent.request_id is None]
    letters = [letter for letter in history.rows.letters if letter.request_id is not None]
    told = replace(history, sent=all_but(history.sent, nameless, *more))
    told = replace(told, rows=replace(history.rows, letters=letters))
    return planted(told, (ViolationKind.NOT_ON_RECORD, "None/0"))


PLANTS: Sequence[Plant] = (
    a_decision_is_never_announced,
    a_run_changed_along_is_never_announced,
    a_nameless_message_is_never_answered,
    a_reply_never_comes,
    a_refused_reuse_is_never_answered,
    a_decision_has_other_bytes,
    a_decision_is_told_anew,
    a_refused_reuse_is_told_anew,
    a_decision_has_two_message_ids,
    a_routing_key_is_anothers,
    a_reply_is_announced,
    a_correlation_id_is_anothers,
    a_decision_is_heard_that_was_never_made,
    something_is_heard_that_is_no_decision,
    a_refused_reuse_is_announced,
    a_nameless_message_is_answered_that_nobody_sent,
)
