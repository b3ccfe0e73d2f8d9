import asyncio

import pytest

from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerConnectionLost
from consumer.topology.check import Problem, ProblemKind, check
from consumer.topology.declare import declare
from consumer.topology.description import describe
from tests.consumer.users import limited_user
from tests.servers.vhosts import Vhost

TOPOLOGY = describe(2)


async def test_what_was_just_declared_is_in_order(connection: BrokerConnection) -> None:
    await declare(connection, TOPOLOGY)

    assert await check(connection, TOPOLOGY) == []


async def test_where_nothing_is_all_is_missing_and_stays_so(
    connection: BrokerConnection, vhost: Vhost
) -> None:
    problems = await check(connection, TOPOLOGY)

    assert {problem.kind for problem in problems} == {ProblemKind.MISSING}
    assert [problem.name for problem in problems] == [
        thing.name for thing in TOPOLOGY.exchanges_and_queues
    ]
    queues = await asyncio.to_thread(
        vhost.server.run_ctl, "list_queues", "--vhost", vhost.name, "name"
    )
    exchanges = await asyncio.to_thread(
        vhost.server.run_ctl, "list_exchanges", "--vhost", vhost.name, "name"
    )
    assert "pointsman" not in queues + exchanges


async def test_a_missing_queue_is_told_with_what_to_do(connection: BrokerConnection) -> None:
    await declare(connection, TOPOLOGY)
    async with connection.channel() as channel:
        await channel.queue_delete("pointsman.delay.5")

    assert await check(connection, TOPOLOGY) == [
        Problem(
            ProblemKind.MISSING,
            "pointsman.delay.5",
            "the queue 'pointsman.delay.5' is missing; run 'pointsman topology declare'",
        )
    ]


async def test_things_made_otherwise_are_conflicting(connection: BrokerConnection) -> None:
    async with connection.channel() as channel:
        await channel.queue_declare(
            "pointsman.dead-letters", durable=True, arguments={"x-queue-type": "quorum"}
        )
        await channel.exchange_declare(
            exchange="pointsman.requests", exchange_type="direct", durable=True
        )

    problems = await check(connection, TOPOLOGY)

    assert {problem.name for problem in problems if problem.kind is ProblemKind.CONFLICTING} == {
        "pointsman.dead-letters",
        "pointsman.requests",
    }


async def test_partitions_beyond_those_that_are_set_are_surplus(
    connection: BrokerConnection,
) -> None:
    await declare(connection, describe(4))

    [problem] = await check(connection, TOPOLOGY)

    assert problem.kind is ProblemKind.SURPLUS
    assert problem.name == "pointsman.requests.2"


async def test_a_queue_that_is_someones_alone_can_not_be_looked_at(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    await declare(connection, TOPOLOGY)
    async with connection.channel() as channel:
        await channel.queue_delete("pointsman.delay.5")
    async with publishing.channel() as channel:
        await channel.queue_declare("pointsman.delay.5", exclusive=True)

    [problem] = await check(connection, TOPOLOGY)

    assert (problem.kind, problem.name) == (ProblemKind.UNKNOWN, "pointsman.delay.5")


async def test_a_user_who_may_not_declare_is_told_what_can_not_be_compared(
    connection: BrokerConnection, vhost: Vhost
) -> None:
    await declare(connection, TOPOLOGY)
    with limited_user(vhost, write=".*", read=".*") as url:
        limited = await connect(url, "test")

        problems = await check(limited, TOPOLOGY)

        await limited.close()
    assert {problem.kind for problem in problems} == {ProblemKind.FORBIDDEN}
    assert len(problems) == len(TOPOLOGY.exchanges_and_queues)


async def test_a_connection_that_goes_while_checking_is_lost(connection: BrokerConnection) -> None:
    checking = asyncio.create_task(check(connection, TOPOLOGY))
    await asyncio.wait({checking}, timeout=0)

    connection.abort("for a test")

    with pytest.raises(BrokerConnectionLost):
        await checking
