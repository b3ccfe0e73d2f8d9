"""Dead letters as they are listed, grouped and chosen."""

from datetime import timedelta
from uuid import UUID

from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import (
    choose_letters,
    count_letters,
    group_letters,
    list_letters,
    portions,
    read_letters,
)
from persistence.dead_letters.values import ChosenLetter, DeadLetter
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from rules.runs import RunKind
from tests.persistence.dead_letters.letters import ids, letter, listed, of_request
from tests.persistence.records import NOON, record_letters, record_of

HOUR = timedelta(hours=1)


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
    await record_letters(database, written)

    [found] = await read_letters(database, await ids(database))
    assert {name: getattr(found, name) for name in DeadLetter.__dataclass_fields__} == {
        name: getattr(written, name) for name in DeadLetter.__dataclass_fields__
    }
    assert (found.status, found.closed_at, found.edited_body) == (LetterStatus.OPEN, None, None)
    [without_body] = await list_letters(database)
    assert (without_body.id, without_body.error) == (found.id, "what?")
    assert not hasattr(without_body, "body")


async def test_letters_are_chosen_by_reason_run_request_status_and_age(database: Database) -> None:
    run_id = uuid7()
    await record_letters(
        database,
        letter("old", dead_at=NOON - HOUR),
        letter("failed", reason="failed"),
        letter("of the run", run_id=run_id),
        of_request("r"),
    )

    assert await listed(database, reason="failed") == ["failed"]
    assert await listed(database, run_id=run_id) == ["of the run"]
    assert await listed(database, request_id="r") == ["r 0"]
    assert await listed(database, died_before=NOON) == ["old"]
    assert await listed(database, died_since=NOON) == ["r 0", "of the run", "failed"]
    assert await listed(database, statuses=(LetterStatus.OPEN,), reason="rule-error") == [
        "r 0",
        "of the run",
        "old",
    ]
    assert await listed(database, statuses=(LetterStatus.REPLAYED,)) == []
    assert await listed(database, replayable=True) == ["r 0"]
    assert await listed(database, replayable=False) == ["of the run", "failed", "old"]
    old = await ids(database, died_before=NOON)
    assert await listed(database, ids=tuple(old)) == ["old"]
    assert await listed(database, ids=()) == []
    assert await count_letters(database) == 4
    assert await count_letters(database, LetterFilter(reason="failed")) == 1


async def test_letters_come_in_pages(database: Database) -> None:
    await record_letters(database, *(letter(str(number)) for number in range(5)))

    pages, before = [], None
    while page := await list_letters(database, limit=2, before=before):
        pages.append([found.letter_id for found in page])
        before = page[-1].id

    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_letters_are_grouped_by_how_they_died(database: Database) -> None:
    await record_letters(
        database,
        of_request("a", run_kind=RunKind.TASK, error_type="KeyError", dead_at=NOON - HOUR),
        of_request("b", run_kind=RunKind.TASK, error_type="KeyError"),
        of_request("c", run_kind=RunKind.FLOW, error_type="KeyError"),
        letter("unreadable", reason="invalid"),
    )
    async with database.session() as session:
        session.record(record_of(None, "a", rule="TeamBudget"))
        session.record(record_of(None, "b", rule="TeamBudget"))

    first, *others = await group_letters(database)
    assert (first.reason, first.error_type, first.run_kind, first.rule) == (
        "rule-error",
        "KeyError",
        RunKind.TASK,
        "TeamBudget",
    )
    assert (first.letters, first.oldest, first.newest) == (2, NOON - HOUR, NOON)
    assert {(group.reason, group.run_kind, group.letters) for group in others} == {
        ("rule-error", RunKind.FLOW, 1),
        ("invalid", None, 1),
    }
    [group] = await group_letters(database, LetterFilter(reason="invalid"))
    assert (group.letters, group.rule) == (1, None)


async def test_letters_are_chosen_in_the_order_in_which_they_died(database: Database) -> None:
    await record_letters(
        database,
        letter("second", body=b"12345"),
        letter("first", dead_at=NOON - HOUR, body=b"123"),
        letter("third", dead_at=NOON + HOUR, body=b""),
    )

    assert [each.size for each in await choose_letters(database, LetterFilter())] == [3, 5, 0]
    assert [each.size for each in await choose_letters(database, LetterFilter(), limit=1)] == [3]


def test_portions_hold_few_letters_and_few_bytes() -> None:
    small = [ChosenLetter(UUID(int=number), 10) for number in range(250)]
    assert [len(portion) for portion in portions(small)] == [100, 100, 50]
    assert [each for portion in portions(small) for each in portion] == [one.id for one in small]
    large = [ChosenLetter(UUID(int=number), 9 * 2**20) for number in range(3)]
    assert [len(portion) for portion in portions(large)] == [1, 1, 1]
    assert list(portions([])) == []
