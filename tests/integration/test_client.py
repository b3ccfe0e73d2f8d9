"""The client, and ``pointsman propose`` with it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from consumer.broker.errors import BrokerConnectionLost, BrokerRefused, BrokerUnreachable
from consumer.client import Client, NotSentError
from rules.identifiers import uuid7
from tests.integration.processes import RunningConsumer, consuming, pointsman
from tests.integration.world import World, proposal
from tests.servers.vhosts import Vhost


@pytest.fixture
async def consumer(world: World) -> AsyncIterator[RunningConsumer]:
    async with consuming(**world.settings) as running:
        yield running


async def test_a_client_is_told_the_decision_on_what_it_sent(
    world: World, consumer: RunningConsumer
) -> None:
    del consumer
    async with Client.connected(world.amqp_url) as client:
        request_id = await client.send(proposal("RUNNING", create={}))
        decision = await client.decision()
    assert (decision["request_id"], decision["decision"]) == (request_id, "accept")


async def test_propose_prints_the_decision(world: World, consumer: RunningConsumer) -> None:
    del consumer
    run_id = str(uuid7())
    create = json.dumps({"name": "extract", "policy": {"retries": 0}})
    made = await pointsman(
        "propose", "task", run_id, "running", "--create", create, **world.settings
    )
    assert (made.code, made.err) == (0, "")
    assert made.out.startswith("accept\n")
    assert f"task {run_id}, version 1" in made.out
    again = await pointsman("propose", "task", run_id, "RUNNING", "--json", **world.settings)
    [decision] = json.loads(again.out)
    assert (again.code, decision["decision"], decision["code"]) == (0, "abort", "redundant")


async def test_propose_forces_a_state_where_the_user_is_permitted(world: World) -> None:
    forced = ("propose", "task", "new", "RUNNING", "--create", "{}", "--force")
    async with consuming(**world.settings, force_users=world.user):
        told = await pointsman(*forced, **world.settings)
    assert (told.code, told.out.splitlines()[0]) == (0, "accept")
    async with consuming(**world.settings):
        told = await pointsman(*forced, **world.settings)
    assert (told.code, told.out.splitlines()[0]) == (0, "abort (forbidden)")


async def test_propose_follows_a_delay_to_its_end(world: World, consumer: RunningConsumer) -> None:
    del consumer
    run_id = str(uuid7())
    later = ("propose", "task", run_id, "SCHEDULED", "--create", "{}", "--scheduled-in", "3600")
    assert (await pointsman(*later, **world.settings)).code == 0
    until = ("--deadline-in", "3", "--follow", "--json")
    told = await pointsman("propose", "task", run_id, "RUNNING", *until, **world.settings)
    decisions = [(each["decision"], each["code"]) for each in json.loads(told.out)]
    assert decisions == [("delay", "scheduled"), ("abort", "deadline")]


async def test_propose_gives_up_when_no_one_decides(world: World) -> None:
    ended = await pointsman("propose", "task", "new", "RUNNING", "--wait", "0.5", **world.settings)
    assert ended.code == 1
    assert "pointsman consume" in ended.err


async def test_a_broker_without_the_topology(vhost: Vhost) -> None:
    async with Client.connected(vhost.url) as client:
        with pytest.raises(NotSentError, match="topology declare"):
            await client.send(proposal("RUNNING"))


async def test_a_connection_that_ends_is_told(vhost: Vhost) -> None:
    async with Client.connected(vhost.url, "doomed") as client:
        waiting = asyncio.create_task(client.decision())
        close_all = ("close_all_connections", "--vhost", vhost.name, "enough")
        await asyncio.to_thread(vhost.server.run_ctl, *close_all)
        with pytest.raises(BrokerConnectionLost):
            await waiting


async def test_nobody_and_a_refusal_are_told_apart(vhost: Vhost) -> None:
    with pytest.raises(BrokerUnreachable, match="Connect call failed"):
        async with Client.connected("amqp://guest:guest@127.0.0.1:1/"):
            pass
    wrong = vhost.url.replace("guest:", "guest:not", 1)
    for refused, told in (
        (wrong, "Login was refused"),
        (f"{vhost.url}-else", "closed the connection"),
    ):
        with pytest.raises(BrokerRefused, match=told):
            async with Client.connected(refused):
                pass


async def test_a_user_who_may_not_make_a_reply_queue_is_told_so_in_one_line(vhost: Vhost) -> None:
    name = f"bare{uuid7().hex}"
    run_ctl = vhost.server.run_ctl
    await asyncio.to_thread(run_ctl, "add_user", name, "secret")
    try:
        permissions = ("set_permissions", "--vhost", vhost.name, name, "^$", ".*", ".*")
        await asyncio.to_thread(run_ctl, *permissions)
        url = URL(vhost.url).with_user(name).with_password("secret")
        told = await pointsman("propose", "task", "new", "RUNNING", amqp_url=url)
    finally:
        await asyncio.to_thread(run_ctl, "delete_user", name)
    assert (told.code, told.out) == (1, "")
    [line] = told.err.splitlines()
    assert "docs/permissions.md" in line
