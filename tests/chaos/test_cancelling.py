import aio_pika
import pytest

from consumer.broker.connection import connect
from consumer.broker.errors import ConsumerCancelled
from consumer.broker.intake import Intake, Source
from tests.chaos.cancelling import CancellingProxy, frames
from tests.servers.vhosts import Vhost


def test_only_whole_frames_are_found() -> None:
    heartbeat = b"\x08\x00\x00\x00\x00\x00\x00\xce"
    method = b"\x01\x00\x05\x00\x00\x00\x04\x00\x3c\x00\x15\xce"
    data = heartbeat + method + heartbeat[:-1]
    found = [(channel, data[start:end]) for channel, start, end in frames(data)]
    assert found == [(0, b""), (5, b"\x00\x3c\x00\x15")]


async def test_a_message_gets_through_whatever_its_size(vhost: Vhost) -> None:
    address = vhost.server
    async with CancellingProxy.to(address.host, address.port) as line:
        url = vhost.url.replace(f":{address.port}/", f":{line.port}/")
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            for size in (0, 1, 300_000):
                message = aio_pika.Message(b"\xce" * size)
                await channel.default_exchange.publish(message, queue.name)
                assert (await queue.get()).body_size == size


async def test_consumers_are_told_that_they_are_cancelled(vhost: Vhost) -> None:
    address = vhost.server
    async with CancellingProxy.to(address.host, address.port) as line:
        url = vhost.url.replace(f":{address.port}/", f":{line.port}/")
        connection = await connect(url, "test")
        async with connection.channel() as channel:
            await channel.queue_declare("here", exclusive=True)
        intake = await Intake.open(connection, [Source("here")], prefetch=1)
        assert line.cancel_consumers() == 1
        with pytest.raises(ConsumerCancelled):
            await intake.next_batch(1)
        await connection.close()
        assert line.cancel_consumers() == 0
