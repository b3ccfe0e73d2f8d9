"""Where another transaction or a full disk is in the way: repeated, and nobody is blamed."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from deploy.servers import RabbitServer
from persistence.database import Database, open_database
from persistence.demands import Demand
from rules.identifiers import uuid7
from rules.runs import TaskRun
from tests.chaos.history import Rows
from tests.integration.processes import RunningConsumer, consuming
from tests.integration.records import rows_of
from tests.integration.world import Watcher, World, content, proposal, watching
from tests.persistence.waiting import until_one_waits
from tests.servers.vhosts import fresh_vhost

INSERT_RUN = text(
    "INSERT INTO run (id, kind, tags, bare, created, version, run_count, total_run_time)"
    " VALUES (:id, 'flow', '[]', true, now(), 0, 0, 0)"
)
RAISING = """
CREATE FUNCTION be_in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  tried bigint := nextval('tries');
BEGIN
  IF tried <= {times} THEN
    RAISE EXCEPTION 'in the way' USING ERRCODE = ('{{{codes}}}'::text[])[1 + tried % {number}];
  END IF;
  RETURN NEW;
END $$
"""
ALWAYS = 1_000_000


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    async with open_database(world.database_url) as opened:
        yield opened


@pytest.fixture
async def watcher(world: World) -> AsyncIterator[Watcher]:
    async with watching(world.amqp_url) as watching_it:
        yield watching_it


@pytest.fixture
async def consumer(world: World) -> AsyncIterator[RunningConsumer]:
    async with consuming(**world.settings) as running:
        yield running


@pytest.fixture
def second_world(world: World, broker: RabbitServer) -> Iterator[World]:
    """The same database, but queues apart: there another consumer is as active as the first."""
    with fresh_vhost(broker) as vhost:
        yield World(vhost.url, world.database_url)


async def run_all(database: Database, *statements: str) -> None:
    async with database.writing() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def be_in_the_way(database: Database, times: int, *codes: str) -> None:
    """Let so many attempts to write a state fail with these codes in turn."""
    await run_all(
        database,
        "CREATE SEQUENCE tries",
        RAISING.format(times=times, codes=",".join(codes), number=len(codes)),
        "CREATE TRIGGER be_in_the_way BEFORE INSERT ON run_state"
        " FOR EACH ROW EXECUTE FUNCTION be_in_the_way()",
    )


async def nobody_blamed(world: World, consumer: RunningConsumer) -> Rows:
    """See that nothing was counted, sent round or buried."""
    rows = await rows_of(world)
    assert not rows.letters
    assert not [row for row in rows.begun if row.failures]
    assert not consumer.told("sent-round")
    assert not consumer.told("batch-failed")
    return rows


async def test_the_victim_of_a_deadlock_tries_again(
    world: World, database: Database, watcher: Watcher, consumer: RunningConsumer
) -> None:
    """The consumer makes both runs in the order of their ids, the other one backwards."""
    task_run, flow_run = sorted((uuid7(), uuid7()))
    async with database.writing() as other:
        await other.execute(text("SET deadlock_timeout = '1h'"))  # it will not be the victim
        await other.execute(INSERT_RUN, {"id": flow_run})
        await watcher.send(proposal("RUNNING", task_run, create={"flow_run_id": flow_run}))
        await until_one_waits(database)
        await other.execute(INSERT_RUN, {"id": task_run})
        repeated = await consumer.event("transaction-repeated")
        assert "deadlock" in repeated["error"]
        await other.rollback()
    [decision] = await watcher.decisions(1)
    assert decision["decision"] == "accept"
    assert len((await nobody_blamed(world, consumer)).states) == 1


async def test_what_passes_is_repeated_in_place_however_often_it_comes(
    world: World, database: Database, watcher: Watcher, consumer: RunningConsumer
) -> None:
    await be_in_the_way(database, 9, "40001", "40P01", "55P03")
    bodies = [proposal("RUNNING", create={}) for _ in range(5)]
    await watcher.send_all([watcher.request(body, str(uuid7())) for body in bodies])
    assert {each["decision"] for each in await watcher.decisions(5)} == {"accept"}
    assert len(consumer.told("transaction-repeated")) == 9
    assert len((await nobody_blamed(world, consumer)).states) == 5


async def test_a_lock_that_is_held_for_longer_than_locks_are_waited_for_is_waited_for(
    world: World, database: Database, watcher: Watcher, consumer: RunningConsumer
) -> None:
    run_id = uuid7()
    await watcher.decision(proposal("PENDING", run_id, create={}))
    async with database.session([Demand(run_id=run_id)]):
        await watcher.send(proposal("RUNNING", run_id))
        repeated = await consumer.event("transaction-repeated", 2)
    assert "lock timeout" in repeated["error"]
    [decision] = await watcher.decisions(1)
    assert (decision["decision"], decision["run"]["version"]) == ("accept", 2)
    assert len((await nobody_blamed(world, consumer)).states) == 2


async def test_a_run_that_another_makes_at_the_same_moment_is_made_once(
    world: World, database: Database, watcher: Watcher, consumer: RunningConsumer
) -> None:
    run = TaskRun(id=uuid7(), name="the other's")
    async with database.session([Demand(run_id=run.id, kind=run.kind, create=run)]) as session:
        session.make_run(run)
        await watcher.send(proposal("RUNNING", run.id, create={"name": "ours"}))
        await until_one_waits(database)
    [decision] = await watcher.decisions(1)
    assert decision["decision"] == "accept"
    [stored] = (await nobody_blamed(world, consumer)).runs
    assert (stored.id, stored.version) == (run.id, 1)


async def test_a_decision_that_another_has_recorded_first_is_the_one_that_is_published(
    world: World, database: Database, watcher: Watcher, consumer: RunningConsumer
) -> None:
    body = proposal("RUNNING", create={})
    await watcher.decision(body, request_id="model")
    [model] = (await rows_of(world)).decisions
    async with database.session([Demand(request_id="raced")]) as session:
        session.record(replace(model, request_id="raced"))
        await session.finish()
        await watcher.send(body, "raced")
        await until_one_waits(database)
    [reply] = await watcher.replied(1)
    assert reply.body == model.body
    [repeated] = consumer.told("transaction-repeated")
    assert "duplicate" in repeated["error"]
    assert len((await nobody_blamed(world, consumer)).states) == 1  # the model's


async def test_copies_that_two_consumers_govern_at_once_are_decided_once(
    world: World, second_world: World
) -> None:
    bodies = [proposal("RUNNING", create={}) for _ in range(100)]
    heard: dict[str, list[bytes]] = defaultdict(list)
    async with (
        consuming(**world.settings, batch_size=10) as one,
        consuming(**second_world.settings, batch_size=10) as other,
        watching(world.amqp_url) as here,
        watching(second_world.amqp_url) as there,
    ):
        for watcher in (here, there):
            await watcher.send_all(
                [watcher.request(body, f"r-{number}") for number, body in enumerate(bodies)]
            )
        for watcher in (here, there):
            for reply in await watcher.replied(100):
                heard[content(reply)["request_id"]].append(reply.body)
        rows = await nobody_blamed(world, one)
        await nobody_blamed(world, other)
    assert {len(replies) for replies in heard.values()} == {2}
    assert {len(set(replies)) for replies in heard.values()} == {1}
    assert (len(rows.decisions), len(rows.states)) == (100, 100)


async def test_a_full_disk_is_waited_for_and_nobody_is_blamed(
    world: World, database: Database, watcher: Watcher, consumer: RunningConsumer
) -> None:
    await be_in_the_way(database, ALWAYS, "53100")
    bodies = [proposal("RUNNING", create={}) for _ in range(5)]
    await watcher.send_all([watcher.request(body, str(uuid7())) for body in bodies])
    paused = await consumer.event("paused")
    assert paused["by"] == "database-away"
    await consumer.event("database-away", 5)
    await run_all(database, "DROP TRIGGER be_in_the_way ON run_state")
    assert {each["decision"] for each in await watcher.decisions(5)} == {"accept"}
    await consumer.event("resumed")
    assert len((await nobody_blamed(world, consumer)).states) == 5
