"""Dead letters edited and discarded."""

from persistence.database import Database
from persistence.dead_letters.changing import discard_letters, edit_letter
from persistence.dead_letters.replaying import begin_replays, held_replays
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from rules.moments import utc_now
from tests.persistence.dead_letters.letters import (
    BODY,
    ids,
    letter,
    of_request,
    statuses,
    whole,
)
from tests.persistence.records import NOON, record_letters

OPEN = (LetterStatus.OPEN,)


async def test_an_edited_body_stands_beside_the_letters_own(database: Database) -> None:
    await record_letters(database, letter("a"))
    [letter_id] = await ids(database)
    assert await edit_letter(database, letter_id, b"{}", "new", NOON)

    found = await whole(database, "a")
    assert (found.body, found.edited_body, found.edited_at) == (BODY, b"{}", NOON)
    assert (found.replay_request_id, found.replay_attempt) == ("new", 0)
    assert found.can_be_replayed

    assert await edit_letter(database, letter_id, None, None, NOON)
    found = await whole(database, "a")
    assert (found.edited_body, found.edited_at, found.replay_request_id) == (None, None, None)
    assert not found.can_be_replayed


async def test_only_an_open_letter_is_edited(database: Database) -> None:
    await record_letters(database, letter("a"))
    [letter_id] = await ids(database)
    await discard_letters(database, [letter_id], OPEN, NOON)

    assert not await edit_letter(database, letter_id, b"{}", "new", NOON)
    assert not await edit_letter(database, uuid7(), b"{}", "new", NOON)
    assert (await whole(database, "a")).edited_body is None


async def test_discarded_letters_are_told_and_closed(database: Database) -> None:
    await record_letters(database, letter("a"), letter("b"), letter("c"))
    first, second, _ = await ids(database)
    told = await discard_letters(database, [first, second], OPEN, NOON)

    assert [(each.letter_id, each.status, each.closed_at) for each in told] == [
        ("a", LetterStatus.DISCARDED, NOON),
        ("b", LetterStatus.DISCARDED, NOON),
    ]
    assert await discard_letters(database, [first], OPEN, utc_now()) == []
    assert (await whole(database, "a")).closed_at == NOON
    assert (await statuses(database))["c"] is LetterStatus.OPEN


async def test_a_letter_that_is_published_at_this_moment_is_not_discarded(
    postgres_database: Database,
) -> None:
    database = postgres_database
    await record_letters(database, of_request("r"))
    chosen = await ids(database)
    replaying = (LetterStatus.REPLAYING,)
    replays = await begin_replays(database, chosen)
    async with held_replays(database, replays):
        assert await discard_letters(database, chosen, replaying, NOON) == []
    assert len(await discard_letters(database, chosen, replaying, NOON)) == 1
