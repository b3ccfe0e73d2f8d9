"""The runbook's commands do what it says, in worlds in which it has come to that."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.servers import PostgresServer
from deploy.servers.ports import free_ports
from persistence.database import open_database
from rules.identifiers import uuid7
from tests.deploy.terminal import RUNBOOK, Terminal, first_look, situations
from tests.integration.conftest import prepared
from tests.integration.letters import until_recorded
from tests.integration.misdeed_policy import PARAMETER, POLICY, Misdeed
from tests.integration.processes import RunningConsumer, consuming
from tests.integration.world import Watcher, World, proposal, watching
from tests.servers.vhosts import Vhost

pytestmark = pytest.mark.timeout(600)

SITUATIONS = situations()
FAULTY = {"task_policy": "tests.integration.faulty_policy:FaultyPolicy"}
REQUESTS = 30
TAG = "gpu"


@pytest.fixture
async def terminal(vhost: Vhost, postgres_url: str, tmp_path: Path) -> Terminal:
    """An operator's, in a world with its tables and queues."""
    [port] = free_ports(1)
    return Terminal(await prepared(vhost, postgres_url), vhost, port, tmp_path)


@asynccontextmanager
async def serving(terminal: Terminal, **settings: object) -> AsyncIterator[RunningConsumer]:
    """A consumer whose health is where the terminal asks for it."""
    given = terminal.world.settings | settings
    async with consuming(**given, http_port=terminal.port) as consumer:
        yield consumer


async def letter_of(terminal: Terminal, reason: str) -> str:
    """The newest open letter with the reason, as the list has it."""
    listed = await terminal.does("pointsman dead-letters list --status open --json")
    ids: list[str] = [each["id"] for each in json.loads(listed) if each["reason"] == reason]
    return ids[0]


async def recorded(world: World, letters: int) -> None:
    """Wait until so many dead letters are in their table."""
    async with open_database(world.database_url) as database:
        await until_recorded(database, letters)


def starting(run_id: UUID | None = None, **rest: Any) -> dict[str, Any]:
    """A request that a task run starts, which need not be there yet."""
    return proposal("RUNNING", run_id, create={"tags": [TAG]}, **rest)


async def died(watcher: Watcher, terminal: Terminal, count: int) -> None:
    """See so many requests become dead letters, under a policy that is faulty."""
    async with serving(terminal, **FAULTY):
        for number in range(count):
            assert (await watcher.decision(starting(uuid7())))["code"] == "rule-error", number
        await recorded(terminal.world, count)


def partitions(listed: str) -> list[list[str]]:
    """The partitions' rows in what ``rabbitmqctl list_queues`` printed."""
    rows = [line.split("\t") for line in listed.splitlines()]
    return [row for row in rows if row[0].startswith("pointsman.requests.")]


def waiting(listed: str) -> list[int]:
    """How many requests wait in each of them."""
    return [int(row[1]) for row in partitions(listed)]


@pytest.mark.parametrize("heading", SITUATIONS)
def test_the_table_at_the_beginning_leads_to_each_situation(heading: str) -> None:
    anchor = heading.lower().replace(" ", "-")
    assert f"| [{heading}](#{anchor}) |" in RUNBOOK.partition("\n## ")[0]


async def test_the_first_look_finds_nothing_where_all_is_well(terminal: Terminal) -> None:
    async with serving(terminal):
        assert "FAILED" not in await terminal.does(first_look())


async def test_requests_pile_up(terminal: Terminal) -> None:
    (check, queues), (ready, metrics), (over,) = SITUATIONS["Requests pile up"]
    async with watching(terminal.world.amqp_url) as watcher:
        await watcher.send_all(
            [watcher.request(starting(), f"r-{number}") for number in range(REQUESTS)]
        )
        found = await terminal.types(check)
        assert found.code == 1
        assert f"{REQUESTS} requests waiting" in found.out
        assert "nobody governs" in found.out
        # The broker itself counts a queue's messages only every few seconds.
        listed = await terminal.until(queues, lambda out: sum(waiting(out)) == REQUESTS)
        assert {row[3] for row in partitions(listed)} == {"0"}
        async with serving(terminal):
            assert json.loads(await terminal.does(ready))["ready"]
            await watcher.decisions(REQUESTS)
            counted = f"pointsman_batch_messages_sum {REQUESTS}.0\n"
            told = await terminal.until(metrics, lambda out: counted in out)
            assert len(told.splitlines()) == 6
            await terminal.until(over, lambda out: "0 requests waiting" in out)
            await terminal.does(over)


async def test_everything_is_delayed(terminal: Terminal) -> None:
    (metrics, limits, run), (tell, more, reset), (over,) = SITUATIONS["Everything is delayed"]
    holder, second, third = (uuid7() for _ in range(3))
    await terminal.does(f"pointsman limits set {TAG} 1")
    async with (
        serving(terminal, slot_delay_seconds=1),
        watching(terminal.world.amqp_url) as watcher,
    ):
        assert (await watcher.decision(starting(holder)))["decision"] == "accept"
        for each in (second, third):
            assert (await watcher.decision(starting(each)))["decision"] == "delay"
        await terminal.until(metrics, lambda out: 'code="limit-reached"' in out)
        assert str(holder) in await terminal.does(limits)
        assert "It waits for" in await terminal.does(run, RUN=str(third))

        assert (await terminal.does(tell, HOLDER=str(holder))).startswith("accept")
        assert TAG in await terminal.does(more, TAG=TAG)
        await terminal.does(reset, TAG=TAG)
        for each in (second, third):
            await terminal.until(over, lambda out: "It is running" in out, RUN=str(each))


async def test_dead_letters_rise(terminal: Terminal) -> None:
    (groups, newest, show), (export, discard), (over,) = SITUATIONS["Dead letters rise"]
    async with watching(terminal.world.amqp_url) as watcher:
        await died(watcher, terminal, 2)
        async with serving(terminal):
            await watcher.send(b"this is no request")
            await recorded(terminal.world, 3)
            grouped = await terminal.does(groups)
            assert {"rule-error", "invalid"} <= set(grouped.split())
            assert (await terminal.does(newest)).count("open") == 3
            letter = await letter_of(terminal, "invalid")
            assert "this is no request" in await terminal.does(show, LETTER=letter)

            await terminal.does(export)
            [line] = (terminal.folder / "letters.jsonl").read_text().splitlines()
            assert json.loads(line)["id"] == letter
            await terminal.does(discard)
            left = await terminal.does(over)
            assert "rule-error" in left
            assert "invalid" not in left


async def test_the_database_is_away(
    vhost: Vhost, own_postgres: Callable[[], PostgresServer], tmp_path: Path
) -> None:
    (reason, check), (live, upgrade), (ready, over) = SITUATIONS["The database is away"]
    server = own_postgres()
    url = await asyncio.to_thread(server.create_database, "runbook")
    [port] = free_ports(1)
    terminal = Terminal(await prepared(vhost, url), vhost, port, tmp_path)
    async with serving(terminal), watching(terminal.world.amqp_url) as watcher:
        await asyncio.to_thread(server.kill)
        await watcher.send(starting(), "meanwhile")
        told = await terminal.until(reason, lambda out: "database-away" in out)
        assert not json.loads(told)["ready"]
        found = await terminal.types(check)
        assert (found.code, len(found.err.splitlines())) == (1, 1)
        assert await terminal.does(live) == "alive\n"

        await asyncio.to_thread(server.start_again)
        await terminal.does(upgrade)
        [late] = await watcher.decisions(1)
        assert (late["request_id"], late["decision"]) == ("meanwhile", "accept")
        await terminal.until(ready, lambda out: json.loads(out)["ready"])
        await terminal.does(over)


async def test_a_message_ends_the_consumer(terminal: Terminal) -> None:
    (redelivered, letters, show, run), (replay,), (over,) = SITUATIONS[
        "A message ends the consumer"
    ]
    bad, good = uuid7(), uuid7()
    async with watching(terminal.world.amqp_url) as watcher:
        await watcher.send_all(
            [
                watcher.request(starting(bad, parameters={PARAMETER: Misdeed.KILLS}), "bad"),
                watcher.request(starting(good), "good"),
            ]
        )
        for _ in range(3):
            async with consuming(**terminal.world.settings, task_policy=POLICY) as consumer:
                await consumer.ended()
        async with serving(terminal, task_policy=POLICY):
            await recorded(terminal.world, 1)
            assert "pointsman_redelivered_total 0" not in await terminal.does(redelivered)
            assert str(bad) in await terminal.does(letters)
            letter = await letter_of(terminal, "failed")
            assert str(bad) in await terminal.does(show, LETTER=letter)
            assert "failed" in await terminal.does(run, RUN=str(bad))
            assert "It is running" in await terminal.does(run, RUN=str(good))
        async with serving(terminal):
            await terminal.does(replay, LETTER=letter)
            assert await terminal.does(over) == "there is no dead letter\n"
            await terminal.until(run, lambda out: "It is running" in out, RUN=str(bad))


async def test_replay_after_a_mended_bug(terminal: Terminal) -> None:
    (groups, dry), (few, again, rest), (over, run) = SITUATIONS["Replay after a mended bug"]
    async with watching(terminal.world.amqp_url) as watcher:
        await died(watcher, terminal, 5)
        assert (await terminal.does(groups)).splitlines()[-1].startswith("5 ")
        assert len((await terminal.does(dry)).splitlines()) == 1 + 5
        async with serving(terminal):
            assert "letters replayed: 2" in await terminal.does(few)
            decided = await watcher.decisions(2)
            assert {each["decision"] for each in decided} == {"accept"}
            assert (await terminal.does(again)).splitlines()[-1].startswith("3 ")
            assert "letters replayed: 3" in await terminal.does(rest)
            decided += await watcher.decisions(3)
            [row] = (await terminal.does(over)).splitlines()[1:]
            assert row.split()[:2] == ["5", "replayed"]
            told = await terminal.does(run, RUN=decided[-1]["run"]["id"])
            assert "It is running" in told
