"""The socket below the client library, with our reader of frames on it."""

import asyncio
import ssl
from typing import Any

from aiormq.connection import TransportFactory
from aiormq.exceptions import AMQPConnectionError
from yarl import URL

from consumer.broker.frames import FrameReader


class TappedTransport(TransportFactory):
    """Opens one connection's socket and keeps hold of both its ends."""

    def __init__(self, frames: FrameReader) -> None:
        self.frames = frames
        self._writer: asyncio.StreamWriter | None = None

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open the socket, as the library asks for it."""
        context: ssl.SSLContext | None = None
        if url.scheme == "amqps":
            context = await kwargs["ssl_context_provider"].get_context()
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self.frames, loop=loop)
        host, port = url.host or "", url.port or 0
        try:
            transport, _ = await loop.create_connection(lambda: protocol, host, port, ssl=context)
        except OSError as error:
            raise AMQPConnectionError(*error.args) from error
        self._writer = asyncio.StreamWriter(transport, protocol, self.frames, loop)
        return self.frames, self._writer

    def abort(self) -> None:
        """Drop the socket as it stands, whatever still waits to be written."""
        if self._writer is not None:
            self._writer.transport.abort()
