"""What could not be governed is a dead letter, once, and nothing else is."""

from collections import Counter
from collections.abc import Iterator

from consumer.dead_letters.burial import UNDELIVERED
from persistence.records import Forward
from persistence.schema import LetterStatus
from tests.chaos.checking.ledger import Ledger
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History, LetterAtEnd


def check_letters(history: History, ledger: Ledger) -> Iterator[Violation]:
    """Compare the letters on record with the decisions that ask for one.

    A letter that the broker made, of a request that had been decided, is asked for by none.
    """
    letters = history.rows.letters
    named = [letter for letter in letters if letter.request_id is not None]
    there: set[tuple[str | None, int | None]] = set()
    for letter in named:
        if (letter.request_id, letter.attempt) in there:
            details = f"{letter.request_id}/{letter.attempt}"
            yield Violation(ViolationKind.LETTER_DOUBLED, letter.letter_id, details)
        there.add((letter.request_id, letter.attempt))
        yield from _check_letter(letter, ledger)
    for key, ruled in ledger.decided.items():
        if ruled.record.forward is Forward.DEAD_LETTER and key not in there:
            details = f"code {ruled.record.code}, forwarded: {ruled.record.forwarded}"
            yield Violation(ViolationKind.LETTER_MISSING, ruled.subject, details)
    yield from _check_nameless([letter for letter in letters if letter.request_id is None], ledger)


def _check_letter(letter: LetterAtEnd, ledger: Ledger) -> Iterator[Violation]:
    ruled = ledger.decided.get((letter.request_id or "", letter.attempt or 0))
    is_answered = letter.reason == UNDELIVERED and letter.status is LetterStatus.ANSWERED
    if ruled is None or not (is_answered or ruled.record.forward is Forward.DEAD_LETTER):
        details = f"{letter.request_id}/{letter.attempt}, reason {letter.reason}"
        yield Violation(ViolationKind.LETTER_UNFOUNDED, letter.letter_id, details)
        return
    senders = ledger.senders(ruled.record)
    same_body = not senders or any(sender.body == letter.body for sender in senders)
    if not same_body or letter.reason not in {ruled.record.code, UNDELIVERED}:
        details = f"{ruled.subject}, reason {letter.reason}: {letter.body!r}"
        yield Violation(ViolationKind.LETTER_CHANGED, letter.letter_id, details)


def _check_nameless(letters: list[LetterAtEnd], ledger: Ledger) -> Iterator[Violation]:
    """Compare by bodies: messages without an id that differ in nothing are one letter."""
    sent: Counter[bytes] = Counter()
    for message in ledger.nameless:
        sent[message.body] += message.copies
    there = Counter(letter.body for letter in letters)
    for message in ledger.nameless:
        if message.confirmed and message.body not in there:
            yield Violation(ViolationKind.LETTER_MISSING, "None/0", f"{message.body!r}")
    for letter in letters:
        kind = ViolationKind.LETTER_DOUBLED if sent[letter.body] else ViolationKind.LETTER_UNFOUNDED
        if there[letter.body] > sent[letter.body]:
            yield Violation(kind, letter.letter_id, f"reason {letter.reason}: {letter.body!r}")
