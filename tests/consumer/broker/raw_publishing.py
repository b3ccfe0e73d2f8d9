"""Publishing what no client library would: content headers as bytes, right or wrong."""

import struct
from dataclasses import dataclass

from consumer.broker.connection import BrokerConnection
from consumer.broker.frames import FrameType, frame

_BASIC_PUBLISH = struct.pack(">HHH", 60, 40, 0)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """``flags`` say which properties ``fields`` holds."""

    routing_key: bytes
    body: bytes
    flags: int = 0
    fields: bytes = b""
    exchange: bytes = b""


async def publish_raw(connection: BrokerConnection, message: RawMessage) -> None:
    """Publish the message, and come back when the broker has taken it."""
    async with connection.channel() as channel:
        method = _BASIC_PUBLISH + _short(message.exchange) + _short(message.routing_key) + b"\x00"
        header = struct.pack(">HHQH", 60, 0, len(message.body), message.flags) + message.fields
        connection.write(
            frame(FrameType.METHOD, channel.number, method)
            + frame(FrameType.HEADER, channel.number, header)
            + frame(FrameType.BODY, channel.number, message.body)
        )
        await channel.exchange_declare(exchange="amq.fanout", exchange_type="fanout", passive=True)


def _short(text: bytes) -> bytes:
    return bytes((len(text),)) + text
