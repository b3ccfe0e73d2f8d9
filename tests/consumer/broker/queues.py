"""Small queues for tests, and messages for them."""

from consumer.broker.connection import BrokerConnection
from consumer.broker.intake import Intake
from consumer.broker.messages import Delivery, Outgoing, Properties
from consumer.broker.publisher import Publisher

QUORUM = {"x-queue-type": "quorum"}


async def make_queue(connection: BrokerConnection, name: str) -> None:
    async with connection.channel() as channel:
        await channel.queue_declare(name, durable=True, arguments={**QUORUM})


def message(queue: str, message_id: str, body: bytes = b"{}") -> Outgoing:
    """A message straight to a queue."""
    return Outgoing(
        exchange="", routing_key=queue, body=body, properties=Properties(message_id=message_id)
    )


async def fill(connection: BrokerConnection, queue: str, *message_ids: str) -> None:
    publisher = await Publisher.open(connection)
    await publisher.publish([message(queue, message_id) for message_id in message_ids])
    await publisher.close()


async def take(intake: Intake, count: int) -> list[Delivery]:
    """Just so many deliveries, in the order in which they come."""
    deliveries: list[Delivery] = []
    while len(deliveries) < count:
        deliveries += await intake.next_batch(count - len(deliveries))
    return deliveries


def ids(deliveries: list[Delivery]) -> list[str | None]:
    return [delivery.properties.message_id for delivery in deliveries]
