"""Servers that speak TLS with a certificate of a test's choice, and say nothing in it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.servers.certificates import Held

_QUESTION_BYTES = 8  # of PostgreSQL's clients, whether TLS is spoken


def _context(held: Held) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(held.certificate, held.key)
    return context


@asynccontextmanager
async def speaking_tls(held: Held) -> AsyncIterator[int]:
    """The port of a server that speaks TLS from the first byte, as a broker does."""
    async with _listening(b"", None, _context(held)) as port:
        yield port


@asynccontextmanager
async def speaking_tls_when_asked(held: Held | None) -> AsyncIterator[int]:
    """The same, when it is asked to as PostgreSQL is; without a certificate it declines."""
    answer, later = (b"N", None) if held is None else (b"S", _context(held))
    async with _listening(answer, later, None) as port:
        yield port


@asynccontextmanager
async def _listening(
    answer: bytes, later: ssl.SSLContext | None, at_once: ssl.SSLContext | None
) -> AsyncIterator[int]:
    visits: set[asyncio.Task[object]] = set()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        visits.add(visit)
        below = writer.transport
        try:
            if answer:
                await reader.readexactly(_QUESTION_BYTES)
                writer.write(answer)
            if later is not None:
                await writer.start_tls(later)
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            return  # the client does not trust us
        finally:
            writer.transport.abort()
            below.abort()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=at_once)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
