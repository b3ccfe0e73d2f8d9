"""Dead letters are replayed: by one operator or two, to the end or broken off in the middle."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json
from sqlalchemy import select, text

from consumer.broker.connection import connect
from consumer.broker.intake import Intake, Source
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.names import partition_queue
from persistence.database import Database, open_database
from persistence.dead_letters.filters import EVERY_LETTER
from persistence.dead_letters.listing import choose_letters
from persistence.dead_letters.replaying import begin_replays, held_replays
from persistence.engine import TimeLimits
from persistence.migrating import upgrade
from persistence.schema import DecisionRow, LetterStatus, RunRow, table_of
from persistence.topology import record_partitions
from tests.integration.letters import (
    by_status,
    done,
    letters_listed,
    replayed,
    replaying,
    until_recorded,
)
from tests.integration.processes import WAIT_SECONDS, consuming, pointsman
from tests.integration.world import PARTITIONS, World, content, proposal, watching
from tests.persistence.dead_letters.letters import of_request
from tests.persistence.records import record_letters

LETTERS = 2_000
FAULTY = {"task_policy": "tests.integration.faulty_policy:FaultyPolicy"}
PATIENT = TimeLimits(idle_in_transaction_seconds=600)

_HOLD_UP = """
    CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$
"""

DECISION = table_of(DecisionRow)
RUN = table_of(RunRow)


def starting(**rest: Any) -> dict[str, Any]:
    """A request that a new task run starts."""
    return proposal("RUNNING", create={}, **rest)


async def test_what_a_mended_rule_refused_is_governed_after_all(world: World) -> None:
    body = starting()
    async with watching(world.amqp_url) as watcher:
        async with consuming(**world.settings | FAULTY):
            await watcher.send(body, "r", headers={"traceparent": "00-a-b-01"})
            [refused] = await watcher.decisions(1)
            assert (refused["code"], refused["attempt"]) == ("rule-error", 0)
            [letter] = await letters_listed(world, 1)
            again = await done(world, "replay", letter["id"])
            assert [row["status"] for row in again] == ["replayed"]
            [refused] = await watcher.decisions(1)
            assert (refused["code"], refused["attempt"]) == ("rule-error", 1)
            second, first = await letters_listed(world, 2)
            assert (first["id"], first["status"]) == (letter["id"], "replayed")
            assert (second["attempt"], second["status"]) == (1, "open")

        [planned] = await done(world, "replay", "--dry-run")
        assert (planned["replay_request_id"], planned["replay_attempt"]) == ("r", 2)
        async with consuming(**world.settings):
            ended = await pointsman("dead-letters", "replay", "--yes", **world.settings)
            assert (ended.code, ended.out) == (0, "letters replayed: 1\n"), ended.err
            [reply] = await watcher.replied(1)
        assert reply.properties.headers["traceparent"] == "00-a-b-01"
        assert (reply.properties.correlation_id, reply.routing_key) == ("r", watcher.reply_to)
    [shown] = await done(world, "show", second["id"])
    assert [(each["attempt"], each["code"]) for each in shown["decisions"]] == [
        (0, "rule-error"),
        (1, "rule-error"),
        (2, None),
    ]


@pytest.mark.timeout(400)
async def test_a_replay_killed_in_the_middle_and_two_operators_lose_and_double_nothing(
    world: World,
) -> None:
    bodies = [starting() for _ in range(LETTERS)]
    async with (
        open_database(world.database_url, PATIENT) as database,
        watching(world.amqp_url) as watcher,
    ):
        async with consuming(**world.settings | FAULTY):
            await watcher.send_all(
                [watcher.request(body, f"r-{place}") for place, body in enumerate(bodies)]
            )
            await until_recorded(database, LETTERS)

        async with held_up_in_the_middle(database, f"r-{LETTERS // 2}"):
            killed = await replaying(world)
            await until_held_up(database)
            killed.send_signal(signal.SIGKILL)
            await killed.wait()
        before = await by_status(database)
        assert before[LetterStatus.REPLAYED] > 0
        assert 0 < before[LetterStatus.REPLAYING] <= 100
        assert before[LetterStatus.OPEN] > 0

        async with consuming(**world.settings):
            first, second = await asyncio.gather(replaying(world), replaying(world))
            ids = await replayed(first) + await replayed(second)
            assert len(ids) == len(set(ids)) == LETTERS - before[LetterStatus.REPLAYED]
            assert await by_status(database) == {LetterStatus.REPLAYED: LETTERS}
            await until_decided(database, 2 * LETTERS)
        await assert_each_governed_once(database)


@asynccontextmanager
async def held_up_in_the_middle(database: Database, request_id: str) -> AsyncIterator[None]:
    """Whoever marks this letter as replayed waits for as long as this lasts."""
    condition = f"NEW.status = 'replayed' AND OLD.request_id = '{request_id}'"
    async with database.writing() as connection:
        await connection.execute(text(_HOLD_UP))
        await connection.execute(
            text(
                "CREATE TRIGGER hold_up BEFORE UPDATE ON dead_letter FOR EACH ROW"
                f" WHEN ({condition}) EXECUTE FUNCTION hold_up()"
            )
        )
    async with database.writing() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(7)"))
        yield
    async with database.writing() as connection:
        await connection.execute(text("DROP TRIGGER hold_up ON dead_letter"))


async def until_held_up(database: Database) -> None:
    """Wait until somebody waits there."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            async with database.reading() as connection:
                if (await connection.execute(waiting)).scalar_one():
                    return


async def until_decided(database: Database, count: int) -> None:
    """Wait until so many decisions are on record."""
    async with asyncio.timeout(WAIT_SECONDS * 2):
        while len(await decisions(database)) < count:  # noqa: ASYNC110  nothing tells
            await asyncio.sleep(0.1)


async def decisions(database: Database) -> list[tuple[str, int, str]]:
    async with database.reading() as connection:
        query = select(DECISION.c.request_id, DECISION.c.attempt, DECISION.c.decision)
        return [tuple(row) for row in await connection.execute(query)]


async def assert_each_governed_once(database: Database) -> None:
    expected = {(f"r-{place}", 0, "abort") for place in range(LETTERS)}
    expected |= {(f"r-{place}", 1, "accept") for place in range(LETTERS)}
    assert sorted(await decisions(database)) == sorted(expected)
    async with database.reading() as connection:
        runs = (await connection.execute(select(RUN.c.version, RUN.c.state_type))).all()
    assert len(runs) == LETTERS
    assert {tuple(run) for run in runs} == {(1, "RUNNING")}


async def test_two_operators_at_once_replay_each_letter_once_on_either_database(
    vhost_world: Callable[[str], World], database_url: str
) -> None:
    world = vhost_world(database_url)
    await asyncio.to_thread(upgrade, database_url)
    async with open_database(database_url) as database:
        await record_partitions(database, PARTITIONS)
        letters = [of_request(f"r-{place}", body=to_json(starting())) for place in range(450)]
        await record_letters(database, *letters)
        missing = await pointsman("dead-letters", "replay", "--yes", **world.settings)
        assert (missing.code, missing.out) == (1, "letters replayed: 0\n")
        assert "pointsman topology declare" in missing.err
        connection = await connect(world.amqp_url, "test")
        await declare(connection, describe(PARTITIONS))
        first, second = await asyncio.gather(replaying(world), replaying(world))
        ids = await replayed(first) + await replayed(second)
        assert len(ids) == len(set(ids)) == len(letters)
        assert await by_status(database) == {LetterStatus.REPLAYED: len(letters)}
    # Without a run on record they came without a routing key, all of them to one partition.
    intake = await Intake.open(connection, [Source(partition_queue(0), 0)], prefetch=1_000)
    came: set[str | None] = set()
    while len(came) < len(letters):
        came |= {each.properties.message_id for each in await intake.next_batch(1_000)}
    assert came == {letter.request_id for letter in letters}
    await connection.close()


@pytest.mark.parametrize("force", [False, True])
async def test_an_edited_letter_is_a_new_request_of_the_operators(
    world: World, tmp_path: Path, *, force: bool
) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(to_json(starting(force=force)))
    async with (
        watching(world.amqp_url) as watcher,
        consuming(**world.settings, force_users=world.user),
    ):
        await watcher.send(b"not json", "r")
        await watcher.replied(1)
        [letter] = await letters_listed(world, 1)
        [edited] = await done(world, "edit", letter["id"], "--body", str(file))
        assert edited["status"] == "open"
        assert len(await done(world, "replay", letter["id"])) == 1
        [reply] = await watcher.replied(1)
    decision = content(reply)
    assert (decision["decision"], decision["attempt"]) == ("accept", 0)
    assert decision["request_id"] == edited["replay_request_id"] != "r"
    assert reply.properties.correlation_id == "r"
    [shown] = await done(world, "show", letter["id"])
    assert shown["body_text"] == "not json"
    assert shown["edited_body_text"] == file.read_text()
    users = {each["request_id"]: each["user_id"] for each in shown["decisions"]}
    assert users == {"r": None, decision["request_id"]: world.user if force else None}


async def test_a_message_that_is_no_request_is_left_out_of_a_replay_of_all(world: World) -> None:
    async with watching(world.amqp_url) as watcher, consuming(**world.settings):
        nameless = watcher.request(starting(), "", message_id=None)
        await watcher.send_all([nameless])
        await watcher.send(b"not json", "named")
        await letters_listed(world, 2)
        ended = await pointsman("dead-letters", "replay", "--yes", **world.settings)
        assert (ended.code, ended.out) == (0, "letters replayed: 1\n")
        assert ended.err.startswith("cannot be replayed: letters left out: 1: ")
        letters = await letters_listed(world, 3)
    assert [(each["request_id"], each["attempt"], each["status"]) for each in letters] == [
        ("named", 1, "open"),
        ("named", 0, "replayed"),
        (None, 0, "open"),
    ]


async def test_letters_that_another_replay_holds_are_passed_over_and_told(world: World) -> None:
    async with open_database(world.database_url) as database:
        await record_letters(
            database, *(of_request(each, body=to_json(starting())) for each in ("held", "free"))
        )
        [held, _] = await choose_letters(database, EVERY_LETTER)
        async with held_replays(database, await begin_replays(database, [held.id])):
            ended = await pointsman("dead-letters", "replay", "--yes", **world.settings)
        assert (ended.code, ended.out) == (0, "letters replayed: 1\n")
        assert ended.err.startswith("passed over, being replayed by another command: 1; ")
        assert len(await done(world, "replay", "--yes")) == 1
        assert await by_status(database) == {LetterStatus.REPLAYED: 2}
