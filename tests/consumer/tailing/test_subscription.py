import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from pydantic_core import to_json

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerUnreachable
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.tailing.subscription import Announced, NotSubscribedError, listen
from consumer.topology.declare import declare
from consumer.topology.description import describe
from consumer.topology.names import DECISIONS
from deploy.servers import RabbitServer
from tests.consumer.users import limited_user
from tests.servers.vhosts import Vhost

EVERYTHING = ("*.*.*.*",)
WAIT_SECONDS = 60


@dataclass(slots=True)
class Listener:
    """Listens for a certain number of decisions."""

    wanted: int
    heard: list[Announced] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    listens: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, announced: Announced) -> bool:
        self.heard.append(announced)
        return len(self.heard) < self.wanted

    def listening(self) -> None:
        self.listens.set()

    def interrupted(self, why: str) -> None:
        self.listens.clear()
        self.gaps.append(why)

    @property
    def numbers(self) -> list[object]:
        return [each.decision["number"] for each in self.heard]


def listening(
    url: str, listener: Listener, keys: Sequence[str] = EVERYTHING
) -> "asyncio.Task[None]":
    return asyncio.create_task(listen(BrokerAddress(url), keys, listener))


async def announce(connection: BrokerConnection, *messages: tuple[str, bytes]) -> None:
    publisher = await Publisher.open(connection)
    await publisher.publish(
        [
            Outgoing(
                exchange=DECISIONS,
                routing_key=key,
                body=body,
                properties=Properties(),
                mandatory=False,
            )
            for key, body in messages
        ]
    )


def numbered(number: int) -> bytes:
    return to_json({"number": number})


@pytest.fixture
async def declared(connection: BrokerConnection) -> BrokerConnection:
    await declare(connection, describe(1))
    return connection


async def test_only_what_was_bound_is_heard_until_there_is_enough(
    vhost: Vhost, declared: BrokerConnection
) -> None:
    listener = Listener(wanted=2)
    task = listening(vhost.url, listener, ["task.abort.*.*", "flow.*.*.x"])
    await listener.listens.wait()
    await announce(
        declared,
        ("task.accept.running.x", numbered(1)),
        ("task.abort.none.y", numbered(2)),
        ("flow.accept.running.x", numbered(3)),
        ("flow.accept.running.x", numbered(4)),
    )
    await task
    assert listener.numbers == [2, 3]
    assert listener.heard[0].routing_key == "task.abort.none.y"


async def test_what_is_no_decision_is_passed_over(vhost: Vhost, declared: BrokerConnection) -> None:
    listener = Listener(wanted=1)
    task = listening(vhost.url, listener)
    await listener.listens.wait()
    await announce(declared, ("a.b.c.d", b"\xff"), ("a.b.c.d", b"[1]"), ("a.b.c.d", numbered(1)))
    await task
    assert listener.numbers == [1]


async def test_nothing_is_left_behind(vhost: Vhost, declared: BrokerConnection) -> None:
    listener = Listener(wanted=1)
    task = listening(vhost.url, listener)
    await listener.listens.wait()
    await announce(declared, ("a.b.c.d", numbered(1)))
    await task
    queues = await asyncio.to_thread(
        vhost.server.run_ctl, "list_queues", "--vhost", vhost.name, "name"
    )
    assert "amq.gen" not in queues


async def test_a_broker_that_goes_is_waited_for_and_the_gap_told(
    own_broker: Callable[[], RabbitServer],
) -> None:
    broker = await asyncio.to_thread(own_broker)
    connection = await connect(broker.url, "test")
    await declare(connection, describe(1))
    listener = Listener(wanted=2)
    task = listening(broker.url, listener)
    await listener.listens.wait()
    await announce(connection, ("a.b.c.d", numbered(1)))
    async with asyncio.timeout(WAIT_SECONDS):
        while not listener.heard:  # noqa: ASYNC110  a confirm says nothing of who has heard it
            await asyncio.sleep(0.05)

    await asyncio.to_thread(broker.kill)
    await connection.lost()
    await asyncio.to_thread(broker.start_again)
    async with asyncio.timeout(WAIT_SECONDS):
        await listener.listens.wait()
    again = await connect(broker.url, "test")
    await announce(again, ("a.b.c.d", numbered(2)))
    await task
    await again.close()
    assert listener.numbers == [1, 2]
    assert len(listener.gaps) == 1


async def test_a_broker_that_is_not_there_at_first_is_an_error() -> None:
    with pytest.raises(BrokerUnreachable):
        await listening("amqp://127.0.0.1:1/", Listener(wanted=1))


async def test_without_the_exchange_it_says_what_to_do(vhost: Vhost) -> None:
    with pytest.raises(NotSubscribedError, match="pointsman topology declare"):
        await listening(vhost.url, Listener(wanted=1))


async def test_who_may_not_subscribe_is_told_what_is_needed(
    vhost: Vhost, declared: BrokerConnection
) -> None:
    del declared
    with (
        limited_user(vhost, configure="^amq.gen-", write="^amq.gen-") as url,
        pytest.raises(NotSubscribedError, match=r"let it read pointsman\.decisions"),
    ):
        await listening(url, Listener(wanted=1))
