import pytest

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import ChannelClosedByBroker
from consumer.broker.intake import Intake, Source
from consumer.broker.publisher import Publisher
from consumer.broker.replies import ReplyQueue
from tests.consumer.broker.queues import message


async def test_answers_come_one_after_the_other_to_a_queue_that_the_broker_named(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    replies = await ReplyQueue.open(connection)
    publisher = await Publisher.open(publishing)

    await publisher.publish([message(replies.name, "a"), message(replies.name, "b")])

    assert replies.name.startswith("amq.gen-")
    assert [(await replies.next()).properties.message_id for _ in range(2)] == ["a", "b"]


async def test_the_queue_is_its_connections_alone(
    connection: BrokerConnection, publishing: BrokerConnection
) -> None:
    replies = await ReplyQueue.open(connection)

    with pytest.raises(ChannelClosedByBroker, match="exclusive access"):
        await Intake.open(publishing, [Source(replies.name)], prefetch=1)
