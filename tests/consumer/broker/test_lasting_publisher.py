import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import ChannelClosedByBroker, UnsendableMessage
from consumer.broker.intake import Intake, Source
from consumer.broker.lasting_publisher import LastingPublisher
from consumer.broker.messages import Outgoing, Properties
from tests.consumer.broker.queues import ids, make_queue, message, take
from tests.servers.vhosts import Vhost

QUEUE = "requests"
MOST = 10_000


@pytest.fixture
def strict_vhost(frail_vhost: Vhost) -> Iterator[Vhost]:
    """On a broker that takes no body of more than ``MOST`` bytes, and frames of 8 KiB at most."""
    usual = {
        name: frail_vhost.server.run_ctl("eval", f"application:get_env(rabbit, {name}).").strip()
        for name in ("max_message_size", "frame_max")
    }
    set_limits(frail_vhost, max_message_size=MOST, frame_max=8_192)
    yield frail_vhost
    set_limits(frail_vhost, **{name: int(told[4:-1]) for name, told in usual.items()})


def set_limits(vhost: Vhost, **limits: int) -> None:
    for name, limit in limits.items():
        # RabbitMQ 4 keeps the size of messages in a place of its own besides.
        vhost.server.run_ctl(
            "eval",
            f"application:set_env(rabbit, {name}, {limit}), persistent_term:put({name}, {limit}).",
        )


@pytest.fixture
async def strict(strict_vhost: Vhost) -> AsyncIterator[BrokerConnection]:
    connection = await connect(strict_vhost.url, "test")
    await make_queue(connection, QUEUE)
    yield connection
    await connection.close()


def sized(name: str, size: int) -> Outgoing:
    return message(QUEUE, name, b"x" * size)


async def arrived(connection: BrokerConnection, count: int) -> list[str | None]:
    intake = await Intake.open(connection, [Source(QUEUE)], prefetch=100)
    return ids(await take(intake, count))


async def test_a_message_that_is_too_large_for_the_broker_is_refused_and_the_others_are_not(
    strict: BrokerConnection,
) -> None:
    publisher = await LastingPublisher.open(strict)
    messages = [sized(str(number), 10) for number in range(9)]
    messages[4] = sized("large", MOST + 1)
    messages[7] = sized("just right", MOST)

    outcomes = await publisher.publish(messages)

    refused = [place for place, each in enumerate(outcomes) if each is not Outcome.CONFIRMED]
    assert (len(outcomes), refused, outcomes[4]) == (9, [4], Outcome.REFUSED)
    assert await publisher.publish([sized("later", 1)]) == [Outcome.CONFIRMED]
    assert strict.loss is None
    names = {"0", "1", "2", "3", "5", "6", "just right", "8", "later"}
    seen: set[str | None] = set()
    intake = await Intake.open(strict, [Source(QUEUE)], prefetch=100)
    while seen < names:
        seen |= set(ids(await intake.next_batch(100)))
    assert seen == names


async def test_those_who_publish_at_the_same_time_do_not_suffer(strict: BrokerConnection) -> None:
    publisher = await LastingPublisher.open(strict)

    outcomes = await asyncio.gather(
        publisher.publish([sized("a", 1)]),
        publisher.publish([sized("large", MOST + 1)]),
        publisher.publish([sized("b", 1)]),
        publisher.publish([sized("larger", 3 * MOST)]),
        publisher.publish([sized("c", 1)]),
    )

    confirmed, refused = [Outcome.CONFIRMED], [Outcome.REFUSED]
    assert list(outcomes) == [confirmed, refused, confirmed, refused, confirmed]
    assert await arrived(strict, 3) == ["a", "b", "c"]


async def test_headers_for_which_a_frame_has_no_room_are_left_out(
    strict: BrokerConnection,
) -> None:
    publisher = await LastingPublisher.open(strict)
    headers = {"short": "a", "long": "b" * 8_000, "longer": "c" * 8_100}
    laden = replace(sized("laden", 1), properties=Properties(message_id="laden", headers=headers))

    assert await publisher.publish([sized("a", 1), laden]) == [Outcome.CONFIRMED] * 2

    intake = await Intake.open(strict, [Source(QUEUE)], prefetch=100)
    _, sent = await take(intake, 2)
    assert sent.properties.headers.keys() == {"short", "long"}


async def test_what_has_nothing_to_do_with_one_message_ends_the_channel(
    strict: BrokerConnection,
) -> None:
    publisher = await LastingPublisher.open(strict)
    stray = Outgoing(exchange="nowhere", routing_key="", body=b"", properties=Properties())

    with pytest.raises(ChannelClosedByBroker, match="no exchange 'nowhere'"):
        await publisher.publish([stray])


async def test_what_can_not_be_put_into_amqp_without_its_headers_either_is_said(
    strict: BrokerConnection,
) -> None:
    publisher = await LastingPublisher.open(strict)

    with pytest.raises(UnsendableMessage):
        await publisher.publish([sized("x" * 256, 1)])

    assert await publisher.publish([sized("later", 1)]) == [Outcome.CONFIRMED]
