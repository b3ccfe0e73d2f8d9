"""Messages that other clients' readers die of, among good ones: nobody but they suffer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from consumer.broker.connection import BrokerConnection, connect
from consumer.topology.names import DEAD_LETTERS, REQUESTS
from persistence.database import open_database
from persistence.schema import DeadLetterRow, table_of
from rules.identifiers import uuid7
from tests.consumer.broker.raw_publishing import RawMessage, publish_raw
from tests.consumer.broker.undecodable import KINDS, MESSAGE_ID
from tests.integration.processes import WAIT_SECONDS, RunningConsumer, consuming
from tests.integration.world import Watcher, World, content, proposal, watching
from tests.servers.vhosts import Vhost

NEIGHBOURS = 63
MOMENTS = ("before the consumer starts", "while it runs")
LETTER = table_of(DeadLetterRow).c


async def test_neighbours_are_decided_and_the_undecodable_are_letters_on_record(
    world: World, vhost: Vhost
) -> None:
    async with watching(world.amqp_url) as watcher, producing(world) as producer:
        await send_among_neighbours(watcher, producer, MOMENTS[0], REQUESTS)
        async with consuming(prefetch=1_000, batch_size=64, **world.settings) as consumer:
            connected = await connections(vhost)
            await all_are_decided(watcher)
            await send_among_neighbours(watcher, producer, MOMENTS[1], REQUESTS)
            await all_are_decided(watcher)
            letters = await letters_on_record(world, len(MOMENTS) * len(KINDS))
            assert await connections(vhost) == connected
            undisturbed(consumer)
    expected = {told(kind, moment): kind for kind in KINDS for moment in MOMENTS}
    assert {letter["body"] for letter in letters} == set(expected)
    for letter in letters:
        assert (letter["reason"], letter["request_id"]) == ("invalid", None)
        header = KINDS[expected[letter["body"]]]
        original = letter["properties"]["headers"]["pointsman-original"]
        assert header.fields.hex()[:1_000] in original


async def test_the_reader_of_dead_letters_goes_on_too(world: World, vhost: Vhost) -> None:
    count = len(MOMENTS) * len(KINDS) * (NEIGHBOURS + 1)
    async with watching(world.amqp_url) as watcher, producing(world) as producer:
        await send_among_neighbours(watcher, producer, MOMENTS[0], DEAD_LETTERS)
        async with consuming(**world.settings) as consumer:
            connected = await connections(vhost)
            await send_among_neighbours(watcher, producer, MOMENTS[1], DEAD_LETTERS)
            letters = await letters_on_record(world, count)
            await watcher.replied(count - len(MOMENTS) * len(KINDS))
            decision = await watcher.decision(proposal("RUNNING", create={}))
            assert decision["decision"] == "accept"
            assert await connections(vhost) == connected
            undisturbed(consumer)
    assert len(letters) == count
    assert {told(kind, each) for kind in KINDS for each in MOMENTS} < {
        letter["body"] for letter in letters
    }
    assert {letter["reason"] for letter in letters} == {"undelivered"}


async def test_a_routing_key_that_is_not_utf_8_is_no_fault_of_the_request(world: World) -> None:
    run_id = str(uuid7())
    async with (
        watching(world.amqp_url) as watcher,
        producing(world) as producer,
        consuming(**world.settings) as consumer,
    ):
        await publish_raw(producer, oddly_routed(b"good", run_id))
        await publish_raw(producer, oddly_routed(b"bad", "none"))
        decisions = [content(each) for each in await watcher.heard(2)]
        [letter] = await letters_on_record(world, 1)
        undisturbed(consumer)
    assert {each["request_id"]: each["code"] for each in decisions} == {
        "good": "run-not-found",
        "bad": "invalid",
    }
    assert (letter["request_id"], letter["routing_key"]) == ("bad", "\\xc3(")


def oddly_routed(message_id: bytes, run_id: str) -> RawMessage:
    body = f'{{"run": {{"kind": "task", "id": "{run_id}"}}, "state": null}}'
    fields = bytes((len(message_id),)) + message_id
    return RawMessage(b"\xc3\x28", body.encode(), MESSAGE_ID, fields, exchange=REQUESTS.encode())


async def send_among_neighbours(
    watcher: Watcher, producer: BrokerConnection, moment: str, exchange: str
) -> None:
    """Send each kind, with good requests around it that come to the same queue."""
    for kind, header in KINDS.items():
        await watcher.send_all(good_ones(watcher, exchange, NEIGHBOURS // 2))
        odd = RawMessage(
            b"00", told(kind, moment), header.flags, header.fields, exchange=exchange.encode()
        )
        await publish_raw(producer, odd)
        await watcher.send_all(good_ones(watcher, exchange, NEIGHBOURS - NEIGHBOURS // 2))


def told(kind: str, moment: str) -> bytes:
    """The body by which a message is known again."""
    return f"{kind}, {moment}".encode()


def good_ones(watcher: Watcher, exchange: str, count: int) -> list[Any]:
    runs = [UUID(int=uuid7().int >> 8 << 8) for _ in range(count)]  # all in partition 0
    requests = [watcher.request(proposal("RUNNING", run, create={}), f"good-{run}") for run in runs]
    return [replace(request, exchange=exchange) for request in requests]


async def all_are_decided(watcher: Watcher) -> None:
    """Wait until all good ones are accepted, and the others aborted for everybody to see."""
    decisions = await watcher.decisions(NEIGHBOURS * len(KINDS))
    assert {each["decision"] for each in decisions} == {"accept"}
    announced = await watcher.heard((NEIGHBOURS + 1) * len(KINDS))
    odd = [each for each in announced if each.routing_key == "none.abort.none.none"]
    assert [content(each)["code"] for each in odd] == ["invalid"] * len(KINDS)


@asynccontextmanager
async def producing(world: World) -> AsyncIterator[BrokerConnection]:
    connection = await connect(world.amqp_url, "test producer")
    yield connection
    await connection.close()


async def letters_on_record(world: World, count: int) -> Sequence[Any]:
    """All dead letters, once so many are on record."""
    columns = (LETTER.body, LETTER.reason, LETTER.request_id, LETTER.routing_key, LETTER.properties)
    async with asyncio.timeout(WAIT_SECONDS), open_database(world.database_url) as database:
        while True:
            async with database.reading() as connection:
                found = (await connection.execute(select(*columns))).mappings().all()
            if len(found) >= count:
                return found
            await asyncio.sleep(0.1)


async def connections(vhost: Vhost) -> list[str]:
    """The broker's own list of the consumers' connections, by the process behind each."""
    listing = await asyncio.to_thread(
        vhost.server.run_ctl, "list_connections", "vhost", "pid", "client_properties"
    )
    found = [line for line in listing.splitlines() if vhost.name in line and "pointsman@" in line]
    assert found, listing
    return sorted(found)


def undisturbed(consumer: RunningConsumer) -> None:
    """See that it never lost a connection, and that no message troubled others."""
    assert len(consumer.told("consuming")) == 1
    for event in ("broker-away", "batch-failed", "letters-refused", "letter-stripped"):
        assert consumer.told(event) == []
