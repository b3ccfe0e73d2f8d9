"""What a running consumer tells over HTTP, while all is well and while something is away."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from consumer.health.endpoints import LIVE, METRICS, READY
from consumer.health.readiness import Obstacle
from deploy.servers import PostgresServer, RabbitServer
from deploy.servers.ports import free_ports
from rules.identifiers import uuid7
from rules.moments import utc_now
from tests.consumer.health.clients import LOOPBACK, Answer, get
from tests.consumer.health.scrapes import Samples, samples
from tests.integration.processes import WAIT_SECONDS, RunningConsumer, consuming, pointsman
from tests.integration.world import World, proposal, watching

VHOST = "health"
DECISIONS = "pointsman_decisions_total"


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
    url = await asyncio.to_thread(frail_postgres.create_database, f"health{uuid7().hex}")
    world = World(frail_broker.url_of(VHOST), url)
    assert (await pointsman("db", "upgrade", **world.settings)).code == 0
    return world


@asynccontextmanager
async def told(world: World, **settings: object) -> AsyncIterator[tuple[RunningConsumer, int]]:
    """A consumer, and the port where it tells of itself."""
    [port] = free_ports(1)
    async with consuming(**world.settings, http_port=port, **settings) as consumer:
        yield consumer, port


async def until_ready_is(port: int, holds: Callable[[Answer], bool]) -> dict[str, Any]:
    """Ask whether it is ready until the answer is as wanted."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds(answer := await get(port, READY)):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.1)
    found: dict[str, Any] = answer.json
    assert answer.status == (200 if found["ready"] else 503)
    return found


def waits_for(obstacle: Obstacle) -> Callable[[Answer], bool]:
    return lambda answer: obstacle in [each["obstacle"] for each in answer.json["reasons"]]


def is_ready(answer: Answer) -> bool:
    return answer.status == 200


async def until_counted(port: int, series: str, count: float) -> Samples:
    """Scrape until a series has its value, since what is decided is counted a moment later."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (found := samples((await get(port, METRICS)).body)).get(series) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def test_what_was_decided_is_counted(world: World) -> None:
    async with told(world) as (_, port), watching(world.amqp_url) as watcher:
        assert (await get(port, READY)).json == {"ready": True, "reasons": []}
        run = uuid7()
        await watcher.decision(proposal("PENDING", run, create={}), timestamp=utc_now())
        for _ in range(2):
            await watcher.decision(proposal("RUNNING", run), request_id="once")
        await watcher.send(proposal("COMPLETED", run), reply_to="pointsman.replies.gone")
        await watcher.send(proposal("FAILED", uuid7()), reply_to="someone.elses")
        await watcher.decision(b"{}")
        await watcher.heard(6)

        await until_counted(port, 'pointsman_dead_letters_total{reason="invalid"}', 1)
        counted = await until_counted(port, "pointsman_batch_messages_sum", 6)
    assert counted[f'{DECISIONS}{{code="invalid",decision="abort",kind="none"}}'] == 1
    assert counted[f'{DECISIONS}{{code="none",decision="accept",kind="task"}}'] == 3
    assert counted[f'{DECISIONS}{{code="run-not-found",decision="abort",kind="task"}}'] == 1
    assert counted["pointsman_decisions_repeated_total"] == 1
    assert counted['pointsman_decisions_undelivered_total{to="reply"}'] == 1
    assert counted["pointsman_replies_refused_total"] == 1
    assert counted["pointsman_decision_seconds_count"] == 1
    assert counted["pointsman_database_seconds_count"] >= 3
    assert counted["pointsman_requests_in_flight"] == 0
    assert counted["pointsman_ready"] == 1


async def test_how_long_a_proposal_waited_is_measured(world: World) -> None:
    async with told(world) as (_, port):
        ended = await pointsman(
            "propose", "task", "new", "NONE", "--create", "{}", **world.settings
        )
        assert ended.code == 0
        await until_counted(port, "pointsman_queue_seconds_count", 1)
        await until_counted(port, "pointsman_decision_seconds_count", 1)


async def test_what_comes_again_later_is_counted_by_its_cause(world: World) -> None:
    async with told(world) as (_, port), watching(world.amqp_url) as watcher:
        run = uuid7()
        details = {"scheduled_time": utc_now() + timedelta(hours=1)}
        await watcher.decision(proposal("SCHEDULED", run, create={}, details=details))
        assert (await watcher.decision(proposal("RUNNING", run)))["decision"] == "delay"
        counted = await until_counted(port, 'pointsman_sent_round_total{cause="delay"}', 1)
    assert counted[f'{DECISIONS}{{code="scheduled",decision="delay",kind="task"}}'] == 1


async def test_while_postgresql_is_away_it_lives_and_is_not_ready(
    frail_world: World, frail_postgres: PostgresServer
) -> None:
    async with told(frail_world) as (_, port):
        await until_ready_is(port, is_ready)
        await asyncio.to_thread(frail_postgres.kill)
        answer = await until_ready_is(port, waits_for(Obstacle.DATABASE))
        assert (await get(port, LIVE)).status == 200
        counted = await until_counted(port, 'pointsman_paused{obstacle="database-away"}', 1)
        assert counted["pointsman_ready"] == 0
        await asyncio.to_thread(frail_postgres.start_again)
        await until_ready_is(port, is_ready)
        await until_counted(port, 'pointsman_pauses_total{obstacle="database-away"}', 1)
    [reason] = answer["reasons"]
    assert reason["why"]
    assert reason["since_seconds"] >= 0
    assert frail_postgres.address.password not in str(answer)


async def test_while_the_broker_is_away_it_lives_and_is_not_ready(
    frail_world: World, frail_broker: RabbitServer
) -> None:
    async with told(frail_world) as (_, port):
        await asyncio.to_thread(frail_broker.kill)
        await until_ready_is(port, waits_for(Obstacle.BROKER))
        assert (await get(port, LIVE)).status == 200
        await asyncio.to_thread(frail_broker.start_again)
        await until_ready_is(port, is_ready)


async def test_one_that_was_told_to_stop_is_not_ready_and_ends_whatever_clients_do(
    frail_world: World, frail_postgres: PostgresServer
) -> None:
    async with (
        told(frail_world, shutdown_seconds=3) as (consumer, port),
        watching(frail_world.amqp_url) as watcher,
    ):
        idle = await asyncio.open_connection(LOOPBACK, port)
        await asyncio.to_thread(frail_postgres.stop)
        await watcher.send(proposal("RUNNING", create={}))
        await consumer.event("database-away")
        consumer.send(signal.SIGTERM)
        await until_ready_is(port, waits_for(Obstacle.STOPPING))
        assert await consumer.ended() == 0
        idle[1].close()
        await asyncio.to_thread(frail_postgres.start_again)


async def test_a_port_that_is_taken_stops_the_start_with_a_line_that_names_the_setting(
    world: World,
) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        ended = await pointsman("consume", **world.settings, http_port=port)
    assert ended.code == 1
    [line] = ended.err.splitlines()
    assert f"POINTSMAN_HTTP_PORT: port {port} at {LOOPBACK} is taken" in line
