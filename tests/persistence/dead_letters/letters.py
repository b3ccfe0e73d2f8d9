"""Dead letters as a consumer finds them, and what is to be seen of them on record."""

from typing import Any
from uuid import UUID

from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import choose_letters, list_letters, read_letters
from persistence.dead_letters.values import DeadLetter, FullLetter
from persistence.schema import LetterStatus
from tests.persistence.records import NOON

BODY = b"\xff{not JSON\x00"


def letter(letter_id: str, **fields: Any) -> DeadLetter:
    """An open letter that died of a rule's error, at noon."""
    described: dict[str, Any] = {
        "letter_id": letter_id,
        "reason": "rule-error",
        "body": BODY,
        "properties": {"type": "pointsman.request.v1", "headers": {"pointsman-attempt": 2**70}},
        "dead_at": NOON,
        **fields,
    }
    return DeadLetter(**described)


def of_request(request_id: str, attempt: int = 0, **fields: Any) -> DeadLetter:
    """The letter of one attempt of a request."""
    letter_id = f"{request_id} {attempt}"
    return letter(letter_id, request_id=request_id, attempt=attempt, **fields)


async def listed(database: Database, **chosen: Any) -> list[str]:
    """The ids that these letters came with, newest first."""
    return [found.letter_id for found in await list_letters(database, LetterFilter(**chosen))]


async def ids(database: Database, **chosen: Any) -> list[UUID]:
    """The ids on record of these letters, in the order in which they died."""
    return [found.id for found in await choose_letters(database, LetterFilter(**chosen))]


async def whole(database: Database, letter_id: str) -> FullLetter:
    """The letter that came with this id."""
    [found] = [
        each
        for each in await read_letters(database, await ids(database))
        if each.letter_id == letter_id
    ]
    return found


async def statuses(database: Database) -> dict[str, LetterStatus]:
    """What was done about each letter."""
    return {each.letter_id: each.status for each in await list_letters(database)}
