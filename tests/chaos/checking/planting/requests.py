"""Requests that are lost, decided twice, blamed or out of order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from uuid import UUID, uuid4

from consumer.topology.names import delay_level
from consumer.wire.names import Code
from persistence.records import DecisionRecord, Forward
from persistence.schema import LetterStatus
from tests.chaos.checking.planting.planted import (
    Plant,
    Planted,
    exchanged,
    lasting_aborts,
    one_of,
    planted,
    retold,
    senders,
    subject,
    with_decision,
    with_retold,
    with_rows,
    without_decision,
)
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import History, LetterAtEnd, QueueAtEnd, Sent


def a_request_is_lost(history: History, rng: Random) -> Planted:
    record = one_of(
        rng,
        [
            record
            for record in lasting_aborts(history)
            if record.attempt == 0 and senders(history, record)[0].confirmed
        ],
    )
    return planted(without_decision(history, record), (ViolationKind.LOST, record.request_id))


def an_attempt_is_lost(history: History, rng: Random) -> Planted:
    record = one_of(rng, [record for record in lasting_aborts(history) if record.attempt > 0])
    lost = f"{record.request_id}/{record.attempt - 1}"
    return planted(without_decision(history, record), (ViolationKind.ATTEMPT_LOST, lost))


def a_delay_is_forgotten_in_the_ladder(history: History, rng: Random) -> Planted:
    lost = an_attempt_is_lost(history, rng)
    queue = delay_level(rng.randrange(28))
    queues = {**history.queues, queue: QueueAtEnd(ready=1, unacknowledged=0)}
    named = (ViolationKind.LEFT_IN_LADDER, queue)
    return planted(replace(lost.history, queues=queues), *lost.named, named)


def an_abort_is_followed_by_an_attempt(history: History, rng: Random) -> Planted:
    record = one_of(rng, lasting_aborts(history))
    more = retold(record, attempt=record.attempt + 1)
    [sender] = senders(history, record)
    named = (ViolationKind.ATTEMPT_UNFOUNDED, subject(more))
    return planted(with_decision(history, more, sender), named)


def an_attempt_is_decided_twice(history: History, rng: Random) -> Planted:
    record = one_of(rng, history.rows.decisions)
    other = retold(record, reason="another")
    decisions = [*history.rows.decisions, other]
    named = (ViolationKind.DECIDED_TWICE, subject(record))
    return planted(with_rows(history, decisions=decisions), named)


def a_decision_is_made_on_nothing(history: History, rng: Random) -> Planted:
    record = one_of(rng, [record for record in lasting_aborts(history) if record.attempt == 0])
    stranger = retold(record, request_id="stranger")
    named = (ViolationKind.NOT_SENT, "stranger/0")
    return planted(with_decision(history, stranger, None), named)


def a_row_tells_another_code(history: History, rng: Random) -> Planted:
    record = one_of(rng, [each for each in history.rows.decisions if each.code is None])
    return _differing(history, record, replace(record, code="other"))


def a_row_has_bytes_that_are_no_decision(history: History, rng: Random) -> Planted:
    record = one_of(rng, [record for record in lasting_aborts(history) if record.attempt == 0])
    unreadable = with_rows(
        without_decision(history, record),
        decisions=exchanged(history.rows.decisions, record, replace(record, body=b"{}")),
    )
    named = {(ViolationKind.RECORD_DIFFERS, subject(record))}
    if senders(history, record)[0].confirmed:
        named.add((ViolationKind.LOST, record.request_id))
    return planted(unreadable, *named)


def a_body_is_decided_that_nobody_sent(history: History, rng: Random) -> Planted:
    record = one_of(rng, [each for each in lasting_aborts(history) if each.attempt == 0])
    return _differing(history, record, replace(record, body_sha256=bytes(32)))


def a_decision_is_made_for_another_run(history: History, rng: Random) -> Planted:
    record = one_of(rng, [each for each in lasting_aborts(history) if each.attempt == 0])
    [sender] = senders(history, record)
    elsewhere = replace(sender, run_id=uuid4())
    named = (ViolationKind.RECORD_DIFFERS, subject(record))
    return planted(replace(history, sent=exchanged(history.sent, sender, elsewhere)), named)


def a_dead_letter_is_not_asked_for(history: History, rng: Random) -> Planted:
    dead = [each for each in history.rows.decisions if each.forward is Forward.DEAD_LETTER]
    record = one_of(rng, dead)
    letters = [each for each in history.rows.letters if each.request_id != record.request_id]
    unasked = replace(record, forward=Forward.NONE)
    return _differing(with_rows(history, letters=letters), record, unasked)


def _differing(history: History, record: DecisionRecord, new: DecisionRecord) -> Planted:
    decisions = exchanged(history.rows.decisions, record, new)
    named = (ViolationKind.RECORD_DIFFERS, subject(record))
    return planted(with_rows(history, decisions=decisions), named)


def a_delay_ends_early(history: History, rng: Random) -> Planted:
    decided = {(each.request_id, each.attempt): each for each in history.rows.decisions}
    record = one_of(rng, [each for each in decided.values() if each.forward is Forward.DELAY])
    back = decided[record.request_id, record.attempt + 1].decided_at
    longer = retold(record, retry_at=back + timedelta(seconds=1))
    named = (ViolationKind.DELAY_CUT_SHORT, subject(record))
    return planted(with_retold(history, record, longer), named)


def an_innocent_request_is_condemned(history: History, rng: Random) -> Planted:
    innocent = [each for each in lasting_aborts(history) if not senders(history, each)[0].faulty]
    record = one_of(rng, innocent)
    condemned = replace(retold(record, code=Code.FAILED), forward=Forward.DEAD_LETTER)
    letter = LetterAtEnd(
        letter_id=str(uuid4()),
        request_id=record.request_id,
        attempt=record.attempt,
        reason=Code.FAILED,
        status=LetterStatus.OPEN,
        body=senders(history, record)[0].body,
    )
    told = with_rows(history, letters=[*history.rows.letters, letter])
    named = (ViolationKind.BLAMED, subject(record))
    return planted(with_retold(told, record, condemned), named)


def two_requests_change_places(history: History, rng: Random) -> Planted:
    earlier, later = one_of(rng, _neighbours(history))
    swapped = exchanged(history.sent, earlier, replace(earlier, position=later.position))
    swapped = exchanged(swapped, later, replace(later, position=earlier.position))
    named = (ViolationKind.OUT_OF_ORDER, f"{earlier.request_id}/0")
    return planted(replace(history, sent=swapped), named)


def _neighbours(history: History) -> Sequence[tuple[Sent, Sent]]:
    """Requests that are compared with each other, each with the next of its run."""
    decided = {each.request_id for each in history.rows.decisions}
    failed = {begun.run_id for begun in history.rows.begun}
    lines: dict[UUID, list[Sent]] = defaultdict(list)
    for sent in history.sent:
        namesakes = [each for each in history.sent if each.request_id == sent.request_id]
        is_plain = sent.confirmed and sent.copies == 1 and not sent.detoured
        if sent.run_id in failed or len(namesakes) > 1 or sent.request_id not in decided:
            continue
        if is_plain and sent.run_id is not None:
            lines[sent.run_id].append(sent)
    return [pair for line in lines.values() for pair in pairwise(line)]


PLANTS: Sequence[Plant] = (
    a_request_is_lost,
    an_attempt_is_lost,
    a_delay_is_forgotten_in_the_ladder,
    an_abort_is_followed_by_an_attempt,
    an_attempt_is_decided_twice,
    a_decision_is_made_on_nothing,
    a_row_tells_another_code,
    a_row_has_bytes_that_are_no_decision,
    a_body_is_decided_that_nobody_sent,
    a_decision_is_made_for_another_run,
    a_dead_letter_is_not_asked_for,
    a_delay_ends_early,
    an_innocent_request_is_condemned,
    two_requests_change_places,
)
