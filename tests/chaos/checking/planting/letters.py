"""Dead letters that are missing, doubled or made up."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from uuid import uuid4

from persistence.records import Forward
from persistence.schema import LetterStatus
from tests.chaos.checking.planting.planted import (
    Plant,
    Planted,
    all_but,
    exchanged,
    one_of,
    planted,
    with_rows,
)
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import History, LetterAtEnd


def _named(history: History, rng: Random) -> LetterAtEnd:
    return one_of(rng, [letter for letter in history.rows.letters if letter.request_id is not None])


def a_dead_letter_is_missing(history: History, rng: Random) -> Planted:
    letter = _named(history, rng)
    missing = with_rows(history, letters=all_but(history.rows.letters, letter))
    return planted(missing, (ViolationKind.LETTER_MISSING, f"{letter.request_id}/{letter.attempt}"))


def a_nameless_dead_letter_is_missing(history: History, rng: Random) -> Planted:
    nameless = [each for each in history.rows.letters if each.request_id is None]
    sure = [each for each in history.sent if each.request_id is None and each.confirmed]
    letter = one_of(rng, [each for each in nameless if each.body in {one.body for one in sure}])
    missing = with_rows(history, letters=all_but(history.rows.letters, letter))
    return planted(missing, (ViolationKind.LETTER_MISSING, "None/0"))


def a_dead_letter_is_doubled(history: History, rng: Random) -> Planted:
    letter = replace(_named(history, rng), letter_id=str(uuid4()))
    doubled = with_rows(history, letters=[*history.rows.letters, letter])
    return planted(doubled, (ViolationKind.LETTER_DOUBLED, letter.letter_id))


def a_nameless_dead_letter_is_doubled(history: History, rng: Random) -> Planted:
    letter = one_of(rng, [each for each in history.rows.letters if each.request_id is None])
    more = [replace(letter, letter_id=str(uuid4())) for _ in range(3)]
    doubled = with_rows(history, letters=[*history.rows.letters, *more])
    named = [(ViolationKind.LETTER_DOUBLED, each.letter_id) for each in (letter, *more)]
    return planted(doubled, *named)


def an_accepted_request_is_a_dead_letter(history: History, rng: Random) -> Planted:
    record = one_of(rng, [each for each in history.rows.decisions if each.forward is Forward.NONE])
    letter = LetterAtEnd(
        letter_id=str(uuid4()),
        request_id=record.request_id,
        attempt=record.attempt,
        reason="failed",
        status=LetterStatus.OPEN,
        body=b"",
    )
    told = with_rows(history, letters=[*history.rows.letters, letter])
    return planted(told, (ViolationKind.LETTER_UNFOUNDED, letter.letter_id))


def a_nameless_dead_letter_is_made_up(history: History, rng: Random) -> Planted:
    del rng
    letter = LetterAtEnd(
        letter_id=str(uuid4()),
        request_id=None,
        attempt=0,
        reason="invalid",
        status=LetterStatus.OPEN,
        body=b"made up",
    )
    told = with_rows(history, letters=[*history.rows.letters, letter])
    return planted(told, (ViolationKind.LETTER_UNFOUNDED, letter.letter_id))


def a_dead_letter_has_another_body(history: History, rng: Random) -> Planted:
    return _changed(history, _named(history, rng), body=b"another")


def a_dead_letter_has_another_reason(history: History, rng: Random) -> Planted:
    return _changed(history, _named(history, rng), reason="no reason")


def _changed(history: History, letter: LetterAtEnd, **changes: bytes | str) -> Planted:
    other = replace(letter, **changes)  # type: ignore[arg-type]  # either field takes its own kind
    told = with_rows(history, letters=exchanged(history.rows.letters, letter, other))
    return planted(told, (ViolationKind.LETTER_CHANGED, letter.letter_id))


PLANTS: Sequence[Plant] = (
    a_dead_letter_is_missing,
    a_nameless_dead_letter_is_missing,
    a_dead_letter_is_doubled,
    a_nameless_dead_letter_is_doubled,
    an_accepted_request_is_a_dead_letter,
    a_nameless_dead_letter_is_made_up,
    a_dead_letter_has_another_body,
    a_dead_letter_has_another_reason,
)
