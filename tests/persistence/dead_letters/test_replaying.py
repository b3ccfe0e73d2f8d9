"""As what dead letters are replayed, and by one operator only."""

import pytest

from persistence.database import Database
from persistence.dead_letters.changing import edit_letter
from persistence.dead_letters.replaying import (
    Replay,
    begin_replays,
    held_replays,
    plan_replays,
)
from persistence.records import Forward
from persistence.schema import LetterStatus
from tests.persistence.dead_letters.letters import ids, letter, of_request, statuses, whole
from tests.persistence.records import NOON, record_letters, record_of


def published_as(replays: list[Replay]) -> list[tuple[str, int]]:
    return [(each.request_id, each.attempt) for each in replays]


async def record_abort(database: Database, request_id: str, attempt: int = 0) -> None:
    """The decision by which a letter died."""
    async with database.session() as session:
        session.record(
            record_of(None, request_id, attempt, decision="abort", forward=Forward.DEAD_LETTER)
        )


async def test_what_was_aborted_into_the_dead_letters_takes_its_next_attempt(
    database: Database,
) -> None:
    await record_abort(database, "aborted", 2)
    await record_letters(database, of_request("aborted", 2))

    assert published_as(await plan_replays(database, await ids(database))) == [("aborted", 3)]
    assert await statuses(database) == {"aborted 2": LetterStatus.OPEN}


@pytest.mark.parametrize("forward", [None, Forward.NONE, Forward.DELAY])
async def test_what_was_decided_otherwise_or_not_at_all_comes_as_the_same_attempt(
    database: Database, forward: Forward | None
) -> None:
    if forward is not None:
        async with database.session() as session:
            session.record(record_of(None, "r", 1, forward=forward))
    await record_letters(database, of_request("r", 1))

    assert published_as(await plan_replays(database, await ids(database))) == [("r", 1)]


async def test_an_edited_letter_is_another_request(database: Database) -> None:
    await record_abort(database, "r")
    await record_letters(database, of_request("r"), letter("without an id"))
    for place, letter_id in enumerate(await ids(database)):
        await edit_letter(database, letter_id, b"{}", f"new-{place}", NOON)

    replays = await begin_replays(database, await ids(database))
    assert published_as(replays) == [("new-0", 0), ("new-1", 0)]


async def test_a_letter_without_a_request_id_is_left_out(database: Database) -> None:
    await record_letters(database, letter("without an id"))

    assert await begin_replays(database, await ids(database)) == []
    assert await begin_replays(database, []) == []


async def test_what_it_is_replayed_as_stays_when_it_is_taken_up_again(database: Database) -> None:
    await record_letters(database, of_request("r"))
    chosen = await ids(database)
    assert published_as(await begin_replays(database, chosen)) == [("r", 0)]
    marked = await whole(database, "r 0")
    assert marked.status is LetterStatus.REPLAYING
    assert (marked.replay_request_id, marked.replay_attempt) == ("r", 0)
    await record_abort(database, "r")  # what was published has died by now

    assert published_as(await begin_replays(database, chosen)) == [("r", 0)]


async def test_replayed_letters_are_closed_and_not_replayed_again(database: Database) -> None:
    await record_letters(database, of_request("a"), of_request("b"))
    chosen = await ids(database)
    replays = await begin_replays(database, chosen)
    async with held_replays(database, replays) as held:
        [told] = await held.close(held.replays[:1], NOON)
        assert await held.close([], NOON) == []

    assert (told.letter_id, told.status, told.closed_at) == ("a 0", LetterStatus.REPLAYED, NOON)
    assert await statuses(database) == {
        "a 0": LetterStatus.REPLAYED,
        "b 0": LetterStatus.REPLAYING,
    }
    assert published_as(await begin_replays(database, chosen)) == [("b", 0)]
    async with held_replays(database, replays) as held:
        assert published_as(list(held.replays)) == [("b", 0)]


async def test_an_error_while_they_are_held_changes_nothing(database: Database) -> None:
    await record_letters(database, of_request("r"))
    replays = await begin_replays(database, await ids(database))

    async def lose_the_broker() -> None:
        async with held_replays(database, replays) as held:
            await held.close(held.replays, NOON)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await lose_the_broker()
    assert await statuses(database) == {"r 0": LetterStatus.REPLAYING}


async def test_nobody_holds_what_is_held(postgres_database: Database) -> None:
    database = postgres_database
    await record_letters(database, of_request("a"), of_request("b"))
    first, second = await ids(database)
    replays = await begin_replays(database, [first])
    async with held_replays(database, replays) as held:
        assert len(held.replays) == 1
        async with held_replays(database, replays) as other:
            assert other.replays == []
        assert published_as(await begin_replays(database, [first, second])) == [("b", 0)]
