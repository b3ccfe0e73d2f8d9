"""A producer's or subscriber's way to the broker, as any client library gives it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import ChannelInvalidStateError
from yarl import URL

LOST = (AMQPError, ChannelInvalidStateError, OSError, TimeoutError)
"""What a call raises when the broker or the way to it is gone; all is to be opened anew."""

SECONDS_BETWEEN_TRIES = 0.3
_HEARTBEAT_SECONDS = 6
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 3.0


@asynccontextmanager
async def channel(url: str, name: str) -> AsyncIterator[AbstractChannel]:
    """A channel with publisher confirms, on a connection of its own."""
    connection = aio_pika.Connection(
        URL(url).update_query(heartbeat=_HEARTBEAT_SECONDS),
        client_properties={"connection_name": name},
    )
    try:
        await connection.connect(timeout=_CONNECT_SECONDS)
        yield await connection.channel()
    finally:
        with suppress(*LOST):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await connection.close()
        # Without its transport by now. Else its finalizer would close it, in whatever thread.
        await connection.close()
