"""Dead letters put on record: each once, and again open where it died once more."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.dead_letters.values import DeadLetter
from persistence.inserting import insert_into
from persistence.schema import DeadLetterRow, LetterStatus, table_of
from rules.identifiers import uuid7

_LETTER = table_of(DeadLetterRow)
_LONGEST_LETTER_ID = 255
_COLUMNS = tuple(field.name for field in fields(DeadLetter))
_VALUES = attrgetter(*_COLUMNS)
_TOLD_ANEW = ("status", "reason", "error_type", "error", "consumer", "attempts", "dead_at")


async def enter_letters(
    connection: AsyncConnection, letters: Sequence[DeadLetter], now: datetime
) -> None:
    """Record letters; one that is on record is left as it is, unless it has died once more.

    That is another time of death than the one on record, after something had been done about
    that: the letter is then open again, as it was before it was edited. Two deaths of one attempt
    come from a replay that had nothing on record to count on from. One that was answered has not
    died before.
    """
    inserting = insert_into(connection, _LETTER)
    died = inserting.excluded
    entering = inserting.on_conflict_do_update(
        index_elements=["letter_id"],
        set_={
            **{name: died[name] for name in _TOLD_ANEW},
            "edited_body": None,
            "edited_at": None,
            "closed_at": None,
        },
        where=(died.status == LetterStatus.OPEN)
        & (_LETTER.c.status != LetterStatus.OPEN)
        & ((_LETTER.c.status == LetterStatus.ANSWERED) | (_LETTER.c.dead_at != died.dead_at))
        & (_LETTER.c.body == died.body),
    )
    await connection.execute(entering, [_row(letter, now) for letter in letters])


def _row(letter: DeadLetter, now: datetime) -> dict[str, Any]:
    return {
        **dict(zip(_COLUMNS, _VALUES(letter), strict=True)),
        "id": uuid7(),
        "letter_id": _short(letter.letter_id),
        "recorded_at": now,
        "closed_at": None if letter.status is LetterStatus.OPEN else now,
    }


def _short(letter_id: str) -> str:
    """An id that fits into the index, whoever made it up."""
    if len(letter_id) <= _LONGEST_LETTER_ID:
        return letter_id
    return sha256(letter_id.encode(errors="replace")).hexdigest()
