"""Requests that the broker puts among the dead letters are answered, and can be replayed."""

from typing import Any

from consumer.broker.connection import connect
from consumer.topology.names import DELIVER, partition_of, partition_queue
from persistence.database import open_database
from persistence.limits import set_limit
from rules.identifiers import uuid7
from tests.integration.letters import done, letters_listed, listed
from tests.integration.processes import consuming
from tests.integration.world import PARTITIONS, World, proposal, watching


def starting(**rest: Any) -> dict[str, Any]:
    """A request that a new task run starts."""
    return proposal("RUNNING", create={}, **rest)


async def test_a_request_that_expired_is_answered_and_forced_when_it_is_replayed(
    world: World,
) -> None:
    async with watching(world.amqp_url) as watcher:
        permitted, other = starting(force=True), starting(force=True)
        await watcher.send(permitted, "permitted", user_id=world.user, expiration="1")
        await watcher.send(other, "other", expiration="1")
        async with consuming(**world.settings, force_users=world.user):
            answers = {each["request_id"]: each for each in await watcher.decisions(2)}
            for request_id in ("permitted", "other"):
                answer = answers[request_id]
                assert (answer["decision"], answer["code"]) == ("abort", "failed")
                assert answer["run"] is None
            letters = await letters_listed(world, 2)
            assert {letter["reason"] for letter in letters} == {"undelivered"}
            assert all("it expired" in letter["error"] for letter in letters)

            assert len(await done(world, "replay", "--reason", "undelivered", "--yes")) == 2
            answers = {each["request_id"]: each for each in await watcher.decisions(2)}
        assert (answers["permitted"]["decision"], answers["permitted"]["attempt"]) == ("accept", 1)
        assert (answers["other"]["code"], answers["other"]["attempt"]) == ("forbidden", 1)
    assert [letter["status"] for letter in await listed(world)] == ["replayed", "replayed"]


async def test_a_duplicate_that_expired_is_answered_with_what_was_decided(world: World) -> None:
    body = starting()
    async with watching(world.amqp_url) as watcher:
        async with consuming(**world.settings):
            await watcher.send(body, "r")
            [accepted] = await watcher.replied(1)
        await watcher.send(body, "r", expiration="1")
        async with consuming(**world.settings):
            [again] = await watcher.replied(1)
            [letter] = await letters_listed(world, 1)
    assert again.body == accepted.body
    assert (letter["status"], letter["reason"]) == ("answered", "undelivered")


async def test_a_request_that_no_queue_takes_when_its_delay_is_over_is_aborted(
    world: World,
) -> None:
    holder, run_id = uuid7(), uuid7()
    partition = partition_of(run_id, PARTITIONS)
    tagged = {"tags": ["one at a time"]}
    async with open_database(world.database_url) as database:
        await set_limit(database, "one at a time", 1)
    async with (
        watching(world.amqp_url) as watcher,
        consuming(**world.settings, slot_delay_seconds=1),
    ):
        connection = await connect(world.amqp_url, "test")
        async with connection.channel() as channel:
            await channel.queue_unbind(partition_queue(partition), DELIVER, f"#.{partition}")
        await connection.close()
        await watcher.decision(proposal("RUNNING", holder, create=tagged))
        delayed = await watcher.decision(proposal("RUNNING", run_id, create=tagged))
        assert (delayed["decision"], delayed["attempt"]) == ("delay", 0)
        [aborted] = await watcher.decisions(1)
        assert (aborted["decision"], aborted["code"], aborted["attempt"]) == ("abort", "failed", 1)
        [letter] = await letters_listed(world, 1)
        assert letter["error"] == "its delay was over, and no queue took it"
        await watcher.decision(proposal("COMPLETED", holder))
        await done(world, "replay", letter["id"])
        [accepted] = await watcher.decisions(1)
    assert (accepted["decision"], accepted["attempt"]) == ("accept", 2)
