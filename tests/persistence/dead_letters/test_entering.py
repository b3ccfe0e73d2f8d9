"""Dead letters put on record: each once, and open again when it died once more."""

from datetime import timedelta

import pytest

from persistence.database import Database
from persistence.dead_letters.changing import discard_letters, edit_letter
from persistence.dead_letters.listing import count_letters, list_letters
from persistence.dead_letters.values import DeadLetter
from persistence.schema import LetterStatus
from rules.moments import utc_now
from tests.persistence.dead_letters.letters import ids, letter, listed, of_request, statuses, whole
from tests.persistence.records import NOON, record_letters

LATER = NOON + timedelta(minutes=1)


async def discard_all(database: Database) -> None:
    await discard_letters(database, await ids(database), (LetterStatus.OPEN,), utc_now())


async def test_the_same_letter_is_one_row_however_often_it_comes(database: Database) -> None:
    await record_letters(database, letter("a"), letter("b"), letter("a", reason="failed"))
    await record_letters(database, letter("b"), letter("c"))

    assert await listed(database) == ["c", "b", "a"]
    assert await listed(database, reason="failed") == []


async def test_no_letters_are_no_work(database: Database) -> None:
    await record_letters(database)

    assert await list_letters(database) == []


async def test_a_letter_id_that_a_stranger_made_up_is_kept_short(database: Database) -> None:
    endless = "".join(chr(0x1F000 + number % 900) for number in range(50_000))
    await record_letters(database, letter(endless), letter(endless), letter(endless + "!"))

    assert await count_letters(database) == 2


async def test_a_letter_that_died_once_more_is_open_again(database: Database) -> None:
    await record_letters(database, of_request("r"))
    await discard_all(database)
    closed = await whole(database, "r 0")
    assert closed.closed_at is not None
    await record_letters(
        database, of_request("r", dead_at=LATER, reason="failed", error="worse", attempts=2)
    )

    found = await whole(database, "r 0")
    assert (found.status, found.closed_at) == (LetterStatus.OPEN, None)
    assert (found.dead_at, found.reason, found.error, found.attempts) == (
        LATER,
        "failed",
        "worse",
        2,
    )


@pytest.mark.parametrize(
    "again", [of_request("r"), of_request("r", dead_at=LATER, body=b"another's")]
)
async def test_the_same_death_told_again_opens_nothing(
    database: Database, again: DeadLetter
) -> None:
    await record_letters(database, of_request("r"))
    await discard_all(database)
    await record_letters(database, again)

    assert await statuses(database) == {"r 0": LetterStatus.DISCARDED}


async def test_an_open_letter_stays_as_it_is_whatever_comes(database: Database) -> None:
    await record_letters(database, of_request("r"))
    answered = of_request("r", dead_at=LATER, status=LetterStatus.ANSWERED)
    await record_letters(database, of_request("r", dead_at=LATER, reason="failed"), answered)

    found = await whole(database, "r 0")
    assert (found.status, found.reason, found.dead_at) == (LetterStatus.OPEN, "rule-error", NOON)


async def test_an_answered_letter_is_closed_from_the_start_until_it_really_dies(
    database: Database,
) -> None:
    await record_letters(database, of_request("r", status=LetterStatus.ANSWERED))
    assert (await whole(database, "r 0")).closed_at is not None
    await record_letters(database, of_request("r"))

    assert await statuses(database) == {"r 0": LetterStatus.OPEN}


async def test_what_was_edited_belongs_to_the_death_before(database: Database) -> None:
    await record_letters(database, of_request("r"))
    [letter_id] = await ids(database)
    assert await edit_letter(database, letter_id, b"{}", "r-2", utc_now())
    await discard_all(database)
    await record_letters(database, of_request("r", dead_at=LATER))

    found = await whole(database, "r 0")
    assert (found.edited_body, found.is_edited) == (None, False)
