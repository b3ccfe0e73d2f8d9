"""A client without a broker, which answers as it is told, and a desk on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from consumer.client import Client
from consumer.demo.desk import Desk
from consumer.demo.journal import Journal
from consumer.wire.decisions import Decision

Answering = Callable[[Mapping[str, Any], str], list[Decision]]


class ScriptedClient(Client):
    """Keeps what was sent, and answers each request with the decisions that ``answering`` makes."""

    def __init__(self, answering: Answering) -> None:
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self._answering = answering
        self._decisions: asyncio.Queue[Decision] = asyncio.Queue()

    async def send(
        self,
        body: Mapping[str, Any],
        *,
        request_id: str | None = None,
        user_id: str | None = None,
    ) -> str:
        assert request_id is not None
        assert user_id is None
        self.sent.append((request_id, body))
        for decision in self._answering(body, request_id):
            self._decisions.put_nowait(decision)
        return request_id

    async def decision(self) -> dict[str, Any]:
        return (await self._decisions.get()).model_dump(mode="json")


@asynccontextmanager
async def open_desk(client: Client, journal: Journal) -> AsyncIterator[Desk]:
    """A desk that hands out decisions while the block lasts."""
    desk = Desk(client, journal)
    serving = asyncio.create_task(desk.serve())
    try:
        yield desk
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
