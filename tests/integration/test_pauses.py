"""While something is away, consuming pauses: nothing is lost, blamed or buried, and it goes on."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from consumer.health.readiness import Obstacle
from deploy.servers import PostgresServer, RabbitServer
from rules.identifiers import uuid7
from rules.moments import utc_now
from tests.integration.pausing import given_back, impatient_consumer, until, waits_for
from tests.integration.processes import pointsman
from tests.integration.world import Watcher, World, content, proposal, watching

REQUESTS = 40
VHOST = "pauses"
FOREVER = 3_600
DELAY_SECONDS = 15
PATIENCE_MS = 8_000


@pytest.fixture(scope="module")
def frail_broker(own_broker: Callable[[], RabbitServer]) -> RabbitServer:
    broker = own_broker()
    broker.create_vhost(VHOST)
    return broker


@pytest.fixture(scope="module")
def frail_postgres(own_postgres: Callable[[], PostgresServer]) -> PostgresServer:
    return own_postgres()


@pytest.fixture
async def frail_world(frail_broker: RabbitServer, frail_postgres: PostgresServer) -> World:
    url = await asyncio.to_thread(frail_postgres.create_database, f"pauses{uuid7().hex}")
    world = World(frail_broker.url_of(VHOST), url)
    assert (await pointsman("db", "upgrade", **world.settings)).code == 0
    return world


async def send_many(watcher: Watcher) -> set[str]:
    requests = [
        watcher.request(proposal("RUNNING", create={}), f"r-{each}-{uuid7()}")
        for each in range(REQUESTS)
    ]
    await watcher.send_all(requests)
    return {str(each.properties.message_id) for each in requests}


async def all_accepted(watcher: Watcher, expected: set[str]) -> None:
    accepted: set[str] = set()
    while accepted != expected:
        [reply] = await watcher.replied(1)
        decision = content(reply)
        assert decision["decision"] == "accept", decision
        accepted.add(decision["request_id"])


async def counted(world: World, statement: str) -> int:
    engine = create_async_engine(world.database_url)
    async with engine.connect() as connection:
        number = int((await connection.execute(text(statement))).scalar_one())
    await engine.dispose()
    return number


async def test_an_idle_consumer_notices_that_the_database_is_away_and_back(
    frail_world: World, frail_postgres: PostgresServer
) -> None:
    async with impatient_consumer(frail_world, seconds=FOREVER) as readiness:
        await asyncio.to_thread(frail_postgres.stop)
        await until(waits_for(readiness, Obstacle.DATABASE))
        await asyncio.to_thread(frail_postgres.start_again)
        await until(lambda: readiness.is_ready)


async def test_a_database_that_is_frozen_is_noticed_too(
    frail_world: World, frail_postgres: PostgresServer
) -> None:
    async with impatient_consumer(frail_world, seconds=FOREVER) as readiness:
        await asyncio.to_thread(frail_postgres.pause)
        await until(waits_for(readiness, Obstacle.DATABASE))
        await asyncio.to_thread(frail_postgres.unpause)
        await until(lambda: readiness.is_ready)


async def test_away_for_longer_than_the_brokers_patience_costs_no_message_and_no_connection(
    frail_world: World, frail_broker: RabbitServer, frail_postgres: PostgresServer
) -> None:
    for setting in (f"consumer_timeout, {PATIENCE_MS}", "channel_tick_interval, 1000"):
        await asyncio.to_thread(
            frail_broker.run_ctl, "eval", f"application:set_env(rabbit, {setting})."
        )
    broker_was_away = False
    async with (
        impatient_consumer(frail_world, seconds=1) as readiness,
        watching(frail_world.amqp_url) as watcher,
    ):
        await asyncio.to_thread(frail_postgres.kill)
        expected = await send_many(watcher)
        await until(waits_for(readiness, Obstacle.DATABASE))
        await given_back(frail_broker, VHOST, REQUESTS)
        for _ in range(15 * PATIENCE_MS // 1_000):  # half as long again as the broker's patience
            await asyncio.sleep(0.1)
            broker_was_away |= Obstacle.BROKER in readiness.hindrances
        await asyncio.to_thread(frail_postgres.start_again)
        await all_accepted(watcher, expected)
        await until(lambda: readiness.is_ready)
    assert not broker_was_away
    assert await counted(frail_world, "SELECT count(*) FROM dead_letter") == 0
    assert await counted(frail_world, "SELECT count(*) FROM begun WHERE begun > 1") == 0


async def test_what_can_not_be_written_is_given_back_and_governed_when_it_can(
    frail_world: World, frail_broker: RabbitServer
) -> None:
    engine = create_async_engine(frail_world.database_url, isolation_level="AUTOCOMMIT")
    async with (
        impatient_consumer(frail_world, seconds=1) as readiness,
        watching(frail_world.amqp_url) as watcher,
        engine.connect() as admin,
    ):
        await admin.execute(text("ALTER TABLE run_state RENAME TO away"))
        expected = await send_many(watcher)
        await until(waits_for(readiness, Obstacle.DATABASE))
        await given_back(frail_broker, VHOST, REQUESTS)
        await admin.execute(text("ALTER TABLE away RENAME TO run_state"))
        await all_accepted(watcher, expected)
    await engine.dispose()
    assert await counted(frail_world, "SELECT count(*) FROM dead_letter") == 0


async def test_a_broker_that_blocks_publishers_is_waited_for_with_empty_hands(
    frail_world: World, frail_broker: RabbitServer
) -> None:
    run_ctl = frail_broker.run_ctl
    async with (
        impatient_consumer(frail_world, seconds=2) as readiness,
        watching(frail_world.amqp_url) as watcher,
    ):
        expected = await send_delayed(watcher)
        await asyncio.to_thread(run_ctl, "set_vm_memory_high_watermark", "0.0000001")
        try:
            await until(waits_for(readiness, Obstacle.PUBLISHERS_BLOCKED))
            await given_back(frail_broker, VHOST, REQUESTS)
        finally:
            await asyncio.to_thread(run_ctl, "set_vm_memory_high_watermark", "0.8")
        await all_accepted(watcher, expected)
        await until(lambda: readiness.is_ready)
    assert await counted(frail_world, "SELECT count(*) FROM dead_letter") == 0


async def send_delayed(watcher: Watcher) -> set[str]:
    """Requests that are delayed for some seconds: they come even if publishers are blocked."""
    runs = [uuid7() for _ in range(REQUESTS)]
    due = (utc_now() + timedelta(seconds=DELAY_SECONDS)).isoformat()
    details = {"scheduled_time": due}
    await watcher.send_all(
        [
            watcher.request(proposal("SCHEDULED", run, create={}, details=details), f"s-{run}")
            for run in runs
        ]
    )
    scheduled = await watcher.decisions(REQUESTS)
    assert {each["decision"] for each in scheduled} == {"accept"}
    requests = [watcher.request(proposal("RUNNING", run), f"r-{run}") for run in runs]
    await watcher.send_all(requests)
    delays = await watcher.decisions(REQUESTS)
    assert {each["decision"] for each in delays} == {"delay"}
    return {str(each.properties.message_id) for each in requests}
