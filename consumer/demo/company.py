"""Whether the demo would be alone at the broker."""

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import ChannelClosedByBroker
from consumer.demo.errors import DemoError
from consumer.topology.names import partition_queue


async def refuse_company(connection: BrokerConnection, partitions: int) -> None:
    """See that nobody governs what the demo sends but the demo's own consumer.

    Raises:
        DemoError: another consumer is at work.
    """
    for partition in range(partitions):
        name = partition_queue(partition)
        try:
            async with connection.channel() as channel:
                consumers = (await channel.queue_declare(name, passive=True)).consumer_count
        except ChannelClosedByBroker:
            continue  # not there yet, or not ours to look at: then the consumer will say so
        if consumers:
            raise DemoError(
                f"a consumer is at work on {name}: stop it, or let POINTSMAN_AMQP_URL name a"
                " virtual host that the demo has to itself"
            )
