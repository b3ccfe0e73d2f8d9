"""The least that a consumer can do, as aio-pika's documentation shows it: the limit to come near.

Takes a request, publishes its body as the reply with a publisher confirm, acknowledges; one by one,
with no database and nothing decided. Callbacks run side by side, so that one waits for its confirm
while another is at work.
"""

import asyncio
import signal

import aio_pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage

from benchmarks.world import PARTITIONS
from consumer.settings import Settings
from consumer.topology.names import DECISIONS, partition_queue

PREFETCH = 256


async def consume(amqp_url: str) -> None:
    """Echo all that comes, until told to stop."""
    connection = await aio_pika.connect(amqp_url)
    consuming = await connection.channel()
    await consuming.set_qos(prefetch_count=PREFETCH)
    publishing = await connection.channel(publisher_confirms=True)
    decisions = await publishing.get_exchange(DECISIONS, ensure=False)

    async def on_request(request: AbstractIncomingMessage) -> None:
        reply = aio_pika.Message(
            request.body,
            message_id=request.message_id,
            correlation_id=request.message_id,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await decisions.publish(reply, routing_key="echo", mandatory=False)
        await request.ack()

    for partition in range(PARTITIONS):
        queue = await consuming.get_queue(partition_queue(partition), ensure=False)
        await queue.consume(on_request)
    await until_told_to_stop()
    await connection.close()


async def until_told_to_stop() -> None:
    """Wait for SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(consume(Settings.from_environment().amqp_url.get_secret_value()))
