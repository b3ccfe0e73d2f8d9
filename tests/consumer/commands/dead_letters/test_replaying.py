import pytest

from persistence.database import Database
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import choose_letters
from persistence.dead_letters.replaying import begin_replays
from persistence.records import Forward
from tests.consumer.commands.conftest import InDatabase
from tests.consumer.commands.dead_letters.conftest import Recorded, Rows, Run
from tests.persistence.dead_letters.letters import letter, of_request
from tests.persistence.records import record_of

NO_BROKER = "amqp://guest:secret-word@127.0.0.1:1/"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch, unset: None) -> None:
    del unset
    monkeypatch.setenv("POINTSMAN_AMQP_URL", NO_BROKER)


def test_what_would_be_replayed_is_told_as_what_it_would_be(
    run: Run, rows: Rows, recorded: Recorded, in_database: InDatabase
) -> None:
    async def decide(database: Database) -> None:
        async with database.session() as session:
            session.record(record_of(None, "aborted", 3, forward=Forward.DEAD_LETTER))

    recorded(of_request("aborted", 3), of_request("undecided", 1))
    in_database(decide)
    told = rows("replay", "--dry-run")
    assert [(row["replay_request_id"], row["replay_attempt"], row["status"]) for row in told] == [
        ("aborted", 4, "open"),
        ("undecided", 1, "open"),
    ]
    assert len(run("replay", "--dry-run", "--limit", 1).stdout.splitlines()) == 2
    assert [row["replay_attempt"] for row in rows("list")] == [None, None]


def test_nothing_to_replay_asks_nobody(run: Run, rows: Rows, recorded: Recorded) -> None:
    recorded()
    assert run("replay").stdout == "letters replayed: 0\n"
    assert rows("replay") == []


def test_a_message_that_is_no_request_is_left_out_and_counted(run: Run, recorded: Recorded) -> None:
    recorded(letter("a"), letter("b"))
    result = run("replay")
    assert (result.exit_code, result.stdout) == (0, "letters replayed: 0\n")
    assert result.stderr.startswith("cannot be replayed: letters left out: 2: what has no request")


def test_a_message_that_is_no_request_is_an_error_where_it_was_named(
    run: Run, recorded: Recorded, rows: Rows
) -> None:
    hopeless, _ = recorded(letter("a"), of_request("b"))
    result = run("replay", *recorded(letter("a"), of_request("b")))
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert f"cannot be replayed: {hopeless}: " in line
    assert {row["status"] for row in rows("list")} == {"open"}


def test_what_was_done_with_already_is_left_out_by_name(run: Run, recorded: Recorded) -> None:
    [letter_id] = recorded(of_request("a"))
    run("discard", letter_id)
    result = run("replay", letter_id)
    assert (result.exit_code, result.stdout) == (0, "letters replayed: 0\n")
    assert result.stderr == f"left out: dead letter {letter_id} is discarded\n"


def test_a_broker_that_is_away_is_told_in_a_line_and_nothing_is_begun(
    run: Run, rows: Rows, recorded: Recorded
) -> None:
    [letter_id] = recorded(of_request("a"))
    result = run("replay", letter_id)
    assert (result.exit_code, result.stdout) == (1, "letters replayed: 0\n")
    [line] = result.stderr.splitlines()
    assert "127.0.0.1:1" in line
    assert "secret-word" not in line
    assert [row["status"] for row in rows("list")] == ["open"]


def test_what_a_replay_left_in_the_middle_is_discarded_by_its_id_only(
    rows: Rows, recorded: Recorded, in_database: InDatabase
) -> None:
    async def begin(database: Database) -> None:
        chosen = await choose_letters(database, LetterFilter())
        await begin_replays(database, [each.id for each in chosen])

    [letter_id] = recorded(of_request("a"))
    in_database(begin)
    assert [row["replay_attempt"] for row in rows("replay", "--dry-run")] == [0]
    assert rows("discard", "--yes") == []
    assert [row["status"] for row in rows("discard", letter_id)] == ["discarded"]
