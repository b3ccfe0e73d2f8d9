"""Dead letters on record: each once, newest first, by what is asked for."""

from datetime import timedelta
from typing import Any

from persistence.database import Database
from persistence.dead_letters import (
    DeadLetter,
    LetterFilter,
    count_letters,
    list_letters,
    record_letters,
)
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from rules.runs import RunKind
from tests.persistence.records import NOON

HOUR = timedelta(hours=1)


def letter(letter_id: str, **fields: Any) -> DeadLetter:
    described: dict[str, Any] = {
        "letter_id": letter_id,
        "reason": "rule-error",
        "body": b"\xff{not JSON\x00",
        "properties": {"type": "pointsman.request.v1", "headers": {"pointsman-attempt": 2**70}},
        "dead_at": NOON,
        **fields,
    }
    return DeadLetter(**described)


async def listed(database: Database, **chosen: Any) -> list[str]:
    return [found.letter_id for found in await list_letters(database, LetterFilter(**chosen))]


async def test_a_letter_comes_back_as_it_was(database: Database) -> None:
    written = letter(
        "a",
        attempts=3,
        error_type="ValueError",
        error="what?",
        request_id="request",
        attempt=2,
        run_kind=RunKind.FLOW,
        run_id=uuid7(),
        exchange="pointsman.requests",
        routing_key="ab",
        consumer="pointsman@host:1",
    )
    await record_letters(database, [written])

    [found] = await list_letters(database)
    assert {name: getattr(found, name) for name in DeadLetter.__dataclass_fields__} == {
        name: getattr(written, name) for name in DeadLetter.__dataclass_fields__
    }
    assert (found.status, found.closed_at) == (LetterStatus.OPEN, None)


async def test_the_same_letter_is_one_row_however_often_it_comes(database: Database) -> None:
    await record_letters(database, [letter("a"), letter("b"), letter("a", reason="failed")])
    await record_letters(database, [letter("b"), letter("c")])

    assert await listed(database) == ["c", "b", "a"]
    assert await count_letters(database) == 3
    assert await count_letters(database, LetterFilter(reason="failed")) == 0


async def test_no_letters_are_no_work(database: Database) -> None:
    await record_letters(database, [])

    assert await list_letters(database) == []


async def test_letters_are_chosen_by_reason_run_status_and_age(database: Database) -> None:
    run_id = uuid7()
    await record_letters(
        database,
        [
            letter("old", dead_at=NOON - HOUR),
            letter("failed", reason="failed"),
            letter("of the run", run_id=run_id),
        ],
    )

    assert await listed(database, reason="failed") == ["failed"]
    assert await listed(database, run_id=run_id) == ["of the run"]
    assert await listed(database, died_before=NOON) == ["old"]
    assert await listed(database, died_since=NOON) == ["of the run", "failed"]
    assert await listed(database, status=LetterStatus.OPEN, reason="rule-error") == [
        "of the run",
        "old",
    ]
    assert await listed(database, status=LetterStatus.REPLAYED) == []


async def test_letters_come_in_pages(database: Database) -> None:
    await record_letters(database, [letter(str(number)) for number in range(5)])

    pages, before = [], None
    while page := await list_letters(database, limit=2, before=before):
        pages.append([found.letter_id for found in page])
        before = page[-1].id

    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_letter_id_that_a_stranger_made_up_is_kept_short(database: Database) -> None:
    endless = "".join(chr(0x1F000 + number % 900) for number in range(50_000))
    await record_letters(database, [letter(endless), letter(endless), letter(endless + "!")])

    assert await count_letters(database) == 2
