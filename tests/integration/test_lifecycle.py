"""A consumer that is stopped, killed, or loses what it works with."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from consumer.worker.setbacks import CONDEMNED_AT
from deploy.servers import PostgresServer, RabbitServer
from rules.identifiers import uuid7
from tests.integration.processes import RunningConsumer, consuming, pointsman
from tests.integration.world import Watcher, World, content, proposal, watching

STEPS = ("PENDING", "RUNNING", "COMPLETED")


async def send_load(watcher: Watcher, runs: list[UUID]) -> set[str]:
    """Three proposals for each run, all at once; the requests' ids."""
    requests = [
        watcher.request(proposal(step, run, create={}), f"{run}/{step}")
        for step in STEPS
        for run in runs
    ]
    await watcher.send_all(requests)
    return {str(each.properties.message_id) for each in requests}


async def heard_of(watcher: Watcher, expected: set[str]) -> dict[str, set[bytes]]:
    """All decisions announced, by request, until each of these requests has one."""
    heard: dict[str, set[bytes]] = {}
    while not expected <= heard.keys():
        [each] = await watcher.heard(1)
        heard.setdefault(str(content(each)["request_id"]), set()).add(each.body)
    return heard


async def written_states(world: World) -> Counter[tuple[str, str]]:
    """How often each run's states were written, by run and type."""
    engine = create_async_engine(world.database_url)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT run_id, type FROM run_state"))
        counted = Counter((str(run_id), str(kind)) for run_id, kind in rows)
    await engine.dispose()
    return counted


async def test_killed_under_load_and_started_again_it_answers_all_and_writes_nothing_twice(
    world: World,
) -> None:
    runs = [uuid7() for _ in range(200)]
    async with watching(world.amqp_url) as watcher:
        expected = await send_load(watcher, runs)
        early: dict[str, set[bytes]] = {}
        for _ in range(CONDEMNED_AT - 1):  # one that is at work each time is condemned after that
            async with consuming(**world.settings, batch_size=20) as consumer:
                for each in await watcher.heard(30):
                    early.setdefault(str(content(each)["request_id"]), set()).add(each.body)
                consumer.send(signal.SIGKILL)
                await consumer.ended()
        async with consuming(**world.settings):
            heard = await heard_of(watcher, expected - early.keys())
    for request_id, bodies in early.items():
        heard.setdefault(request_id, set()).update(bodies)
    assert heard.keys() == expected
    assert {len(bodies) for bodies in heard.values()} == {1}
    states = await written_states(world)
    assert len(states) == len(runs) * len(STEPS)
    assert set(states.values()) == {1}


async def test_told_to_stop_it_finishes_what_it_began_and_leaves_the_rest(world: World) -> None:
    runs = [uuid7() for _ in range(100)]
    async with watching(world.amqp_url) as watcher:
        expected = await send_load(watcher, runs)
        async with consuming(**world.settings, batch_size=10) as consumer:
            first = await watcher.heard(10)
            consumer.send(signal.SIGTERM)
            assert await consumer.ended() == 0
        assert consumer.told("stopped")
        async with consuming(**world.settings):
            rest = expected - {str(content(each)["request_id"]) for each in first}
            heard = await heard_of(watcher, rest)
    assert {len(bodies) for bodies in heard.values()} == {1}


async def test_an_idle_consumer_stops_at_once_when_told(world: World) -> None:
    async with consuming(**world.settings) as consumer:
        consumer.send(signal.SIGINT)
        assert await consumer.ended() == 0


async def decided(watcher: Watcher, consumer: RunningConsumer) -> None:
    """See that a request is decided."""
    del consumer
    decision = await watcher.decision(proposal("RUNNING", create={}))
    assert decision["decision"] == "accept"


async def test_a_broker_that_is_restarted_is_found_again(
    own_broker: Callable[[], RabbitServer], postgres_url: str
) -> None:
    server = own_broker()
    world = World(server.create_vhost("restarted"), postgres_url)
    assert (await pointsman("db", "upgrade", **world.settings)).code == 0
    async with consuming(**world.settings) as consumer:
        async with watching(world.amqp_url) as watcher:
            await decided(watcher, consumer)
        await asyncio.to_thread(server.kill)
        await consumer.event("broker-away")
        await asyncio.to_thread(server.start_again)
        await consumer.event("consuming", 2)
        async with watching(world.amqp_url) as watcher:
            await decided(watcher, consumer)


async def test_a_database_that_is_restarted_is_waited_for(
    vhost_world: Callable[[str], World], own_postgres: Callable[[], PostgresServer]
) -> None:
    server = own_postgres()
    world = vhost_world(server.create_database("restarted"))
    assert (await pointsman("db", "upgrade", **world.settings)).code == 0
    async with consuming(**world.settings) as consumer, watching(world.amqp_url) as watcher:
        await decided(watcher, consumer)
        await asyncio.to_thread(server.kill)
        await watcher.send(proposal("RUNNING", create={}), "meanwhile")
        await consumer.event("database-away")
        await asyncio.to_thread(server.start_again)
        [late] = await watcher.decisions(1)
        assert (late["request_id"], late["decision"]) == ("meanwhile", "accept")


async def test_a_statement_that_fails_before_there_is_any_work_is_told_in_a_line(
    world: World,
) -> None:
    engine = create_async_engine(world.database_url)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE topology RENAME TO away"))
    await engine.dispose()

    ended = await pointsman("consume", **world.settings)

    [line] = ended.err.splitlines()
    assert ended.code == 1
    assert 'relation "topology" does not exist' in line
