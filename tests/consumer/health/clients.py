"""HTTP as a test speaks it: byte by byte, to a server in its own process."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def get(port: int, path: str, method: str = "GET") -> Answer:
    """Ask for a page and read until the connection ends."""
    return answer(await said(port, f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()))


async def said(port: int, request: bytes) -> bytes:
    """All that comes back on these bytes."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def answer(raw: bytes) -> Answer:
    """The answer in these bytes."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body.decode())
