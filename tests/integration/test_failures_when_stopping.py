"""Told to stop in the middle of something: finished, or given up and left to the next one."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from deploy.servers import PostgresServer, RabbitServer
from persistence.database import Database, open_database
from persistence.demands import Demand
from rules.identifiers import uuid7
from tests.integration.misdeed_policy import PARAMETER, POLICY, Misdeed
from tests.integration.processes import consuming, pointsman
from tests.integration.records import rows_of
from tests.integration.waiting import until_left
from tests.integration.world import Watcher, World, proposal, watching
from tests.persistence.waiting import until_one_waits


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    async with open_database(world.database_url) as opened:
        yield opened


@pytest.fixture
async def watcher(world: World) -> AsyncIterator[Watcher]:
    async with watching(world.amqp_url) as watching_it:
        yield watching_it


@asynccontextmanager
async def at_hand(database: Database, watcher: Watcher) -> AsyncIterator[None]:
    """Let a request be at hand for as long as the block lasts: another one holds its run's lock."""
    run_id = uuid7()
    await watcher.decision(proposal("PENDING", run_id, create={}))
    async with database.session([Demand(run_id=run_id)]):
        await watcher.send(proposal("RUNNING", run_id), "at hand")
        await until_one_waits(database)
        yield


async def decided(world: World, watcher: Watcher) -> None:
    """See that what was at hand is decided, and once."""
    [decision] = await watcher.decisions(1)
    assert (decision["request_id"], decision["decision"]) == ("at hand", "accept")
    assert len((await rows_of(world)).states) == 2


async def test_what_is_at_hand_is_finished_and_nothing_more_is_taken(
    world: World, database: Database, watcher: Watcher
) -> None:
    async with consuming(**world.settings) as consumer:
        async with at_hand(database, watcher):
            consumer.send(signal.SIGTERM)
            await consumer.event("stopping")
            await watcher.send(proposal("RUNNING", create={}), "too late")
        assert await consumer.ended() == 0
    assert consumer.told("stopped")
    assert not consumer.told("not-finished-in-time")
    await decided(world, watcher)
    await until_left(world, 1)


async def test_what_can_not_be_finished_in_time_is_left_to_the_next_one(
    world: World, database: Database, watcher: Watcher
) -> None:
    consuming_it = consuming(**world.settings, shutdown_seconds=1)
    async with consuming_it as consumer, at_hand(database, watcher):
        consumer.send(signal.SIGTERM)
        assert await consumer.ended() == 0
    assert consumer.told("not-finished-in-time")
    await until_left(world, 1)
    async with consuming(**world.settings):
        await decided(world, watcher)


async def test_a_second_signal_ends_it_at_once(
    world: World, database: Database, watcher: Watcher
) -> None:
    async with consuming(**world.settings) as consumer, at_hand(database, watcher):
        consumer.send(signal.SIGTERM)
        await consumer.event("stopping")
        consumer.send(signal.SIGTERM)
        assert await consumer.ended() == -signal.SIGTERM
    await until_left(world, 1)
    async with consuming(**world.settings):
        await decided(world, watcher)


async def test_a_rule_that_goes_on_though_it_is_cut_off_does_not_keep_it(
    world: World, watcher: Watcher
) -> None:
    endless = {PARAMETER: Misdeed.WILL_NOT_END}
    body = proposal("RUNNING", create={}, parameters=endless)
    async with consuming(**world.settings, task_policy=POLICY, shutdown_seconds=1) as consumer:
        await watcher.decision(proposal("PENDING", body["run"]["id"], create={}))
        await watcher.send(body, "at hand")
        await until_left(world, 0)
        consumer.send(signal.SIGTERM)
        assert await consumer.ended() == 1
    assert consumer.told("stuck")
    async with consuming(**world.settings):
        await decided(world, watcher)


async def test_a_database_that_is_frozen_does_not_keep_it(
    vhost_world: Callable[[str], World], own_postgres: Callable[[], PostgresServer]
) -> None:
    server = own_postgres()
    world = vhost_world(server.create_database("frozen"))
    assert (await pointsman("db", "upgrade", **world.settings)).code == 0
    async with (
        consuming(**world.settings, shutdown_seconds=1) as consumer,
        watching(world.amqp_url) as watcher,
    ):
        await watcher.decision(proposal("RUNNING", create={}))
        await asyncio.to_thread(server.pause)
        await watcher.send(proposal("RUNNING", create={}), "at hand")
        consumer.send(signal.SIGTERM)
        assert await consumer.ended() == 0
        await asyncio.to_thread(server.unpause)
        async with consuming(**world.settings):
            await decided(world, watcher)


async def test_a_broker_that_is_frozen_does_not_keep_it(
    own_broker: Callable[[], RabbitServer], postgres_url: str
) -> None:
    server = own_broker()
    world = World(server.create_vhost("frozen"), postgres_url)
    assert (await pointsman("db", "upgrade", **world.settings)).code == 0
    async with consuming(**world.settings, shutdown_seconds=1) as consumer:
        await asyncio.to_thread(server.pause)
        consumer.send(signal.SIGTERM)
        assert await consumer.ended() == 0
        await asyncio.to_thread(server.unpause)
    assert consumer.told("stopped")
