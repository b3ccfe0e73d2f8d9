import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp import commands

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.direct_replies import AnswerPublisher, DirectReplies, is_well_formed
from consumer.broker.publisher import Publisher
from tests.consumer.broker.queues import make_queue, message
from tests.servers.vhosts import Vhost

PREFIX = "amq.rabbitmq.reply-to."
KEY = "nif+y0OWIUeVtIOlq4YHNA=="


def name(process_id: bytes, key: str = KEY) -> str:
    return f"{PREFIX}{b64encode(process_id).decode()}.{key}"


def process_of(node: bytes) -> bytes:
    return b"\x83Xv" + len(node).to_bytes(2) + node + b"\x00" * 12


OF_A_NODE_THAT_IS_GONE = name(process_of(b"reply@1"))


class Requester:
    """A client that asks to be answered directly."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel
        self.answers: asyncio.Queue[DeliveredMessage] = asyncio.Queue()

    async def reply_to(self) -> str:
        """The name of its pseudo-queue, as whoever reads its request is told it."""
        await self._channel.basic_consume("amq.rabbitmq.reply-to", self.answers.put, no_ack=True)
        queue = await self._channel.queue_declare(exclusive=True)
        asked = commands.Basic.Properties(reply_to="amq.rabbitmq.reply-to")
        await self._channel.basic_publish(b"", routing_key=str(queue.queue), properties=asked)
        request = await self._channel.basic_get(str(queue.queue), no_ack=True)
        return str(request.header.properties.reply_to)


@pytest.fixture
async def requester(connection: BrokerConnection) -> AsyncIterator[Requester]:
    async with connection.channel() as channel:
        yield Requester(channel)


@pytest.fixture
async def direct_replies(vhost: Vhost) -> AsyncIterator[DirectReplies]:
    opened = DirectReplies(lambda: connect(vhost.url, "test, direct replies"))
    yield opened
    await opened.close()


async def test_a_direct_reply_reaches_who_asked_for_it_once(
    requester: Requester, direct_replies: DirectReplies
) -> None:
    reply_to = await requester.reply_to()

    outcomes = await direct_replies.publish([message(reply_to, "a"), message(reply_to, "b")])

    assert outcomes == [Outcome.CONFIRMED, Outcome.CONFIRMED]
    answers = [await requester.answers.get() for _ in range(2)]
    assert [answer.header.properties.message_id for answer in answers] == ["a", "b"]
    assert requester.answers.empty()


async def test_names_that_no_broker_gave_are_refused_without_troubling_one(
    direct_replies: DirectReplies,
) -> None:
    names = [f"{PREFIX}x.y", f"{PREFIX}x", PREFIX, PREFIX[:-1], name(process_of(b"rabbit@host"))]

    outcomes = await direct_replies.publish([message(each, each) for each in names])

    assert outcomes == [Outcome.REFUSED] * len(names)


async def test_a_name_over_which_the_broker_fails_harms_no_neighbour(
    requester: Requester, direct_replies: DirectReplies
) -> None:
    """RabbitMQ 3.10 fails over a node that is gone; later ones take such a reply and drop it."""
    reply_to = await requester.reply_to()
    names = [reply_to, OF_A_NODE_THAT_IS_GONE, reply_to, reply_to, OF_A_NODE_THAT_IS_GONE]

    outcomes = await direct_replies.publish(
        [message(each, str(place)) for place, each in enumerate(names)]
    )

    assert [outcomes[place] for place in (0, 2, 3)] == [Outcome.CONFIRMED] * 3
    assert outcomes[1] == outcomes[4]
    arrived: set[str | None] = set()
    while len(arrived) < 3:
        arrived.add((await requester.answers.get()).header.properties.message_id)
    assert arrived == {"0", "2", "3"}


async def test_other_answers_are_published_past_a_direct_reply_that_fails(
    publishing: BrokerConnection, direct_replies: DirectReplies
) -> None:
    await make_queue(publishing, "pointsman.replies.a")
    publisher = AnswerPublisher(await Publisher.open(publishing), direct_replies)

    outcomes = await publisher.publish(
        [
            message("pointsman.replies.a", "a"),
            message(f"{PREFIX}x.y", "b"),
            message(OF_A_NODE_THAT_IS_GONE, "c"),
            message("nowhere", "d"),
        ]
    )

    assert (outcomes[0], outcomes[1], outcomes[3]) == (
        Outcome.CONFIRMED,
        Outcome.REFUSED,
        Outcome.RETURNED,
    )
    assert await publisher.publish([message("pointsman.replies.a", "e")]) == [Outcome.CONFIRMED]
    assert publishing.loss is None


def test_names_as_brokers_give_them_are_well_formed() -> None:
    of_3_10 = "g1h2AA1yZXBseUA5MjQ4ODg0AAB9FAAAAABrARQt.dtWPXB8+52tNqAjcZDmptw=="
    of_4_0 = "g1h2AA5yZXBseUA2MDE3NjkxMgAAAmQAAAAAawEgPg==./hRdC1DX73qa4dYNA9rFag=="
    of_4_3 = "g1h2AA5yZXBseUA3NTk1ODY3MwAAAu8AAAAAawEgPg==.oytdMKcG7cGumbSXP7QA3w=="

    assert all(is_well_formed(PREFIX + each) for each in (of_3_10, of_4_0, of_4_3))


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "pointsman.replies.a",
        PREFIX,
        f"{PREFIX}garbage",
        f"{PREFIX}x.y",
        f"{PREFIX}xyz=.y",
        name(process_of(b"reply@1"), ""),
        name(process_of(b"reply@1"), "a.b"),
        name(process_of(b"reply@1"), "ä"),
        name(process_of(b"reply@1"), "a\n"),
        name(process_of(b"reply@")),
        name(process_of(b"reply@1")[:-1]),
        name(process_of(b"reply@1") + b"\x00"),
        name(process_of(b"rabbit@localhost")),
        name(b"\x83a\x05"),
    ],
)
def test_anything_else_is_not(malformed: str) -> None:
    assert not is_well_formed(malformed)
