"""Pointsman's side: one consumer, with all settings but those of its place left as they are."""

import asyncio
import time
from asyncio import Future
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from benchmarks import throughput
from benchmarks.gauge import gauged
from benchmarks.prefect.figures import Reading
from benchmarks.prefect.inside.clients import take_through
from benchmarks.prefect.program import reading
from consumer.client import Client
from consumer.settings import Settings
from rules.identifiers import uuid7
from tests.integration.processes import consuming
from tests.integration.world import World, proposal

_BATCH_SIZE: int = Settings.model_fields["batch_size"].default
_FIRST_RUNS = 10
"""Taken through before it is measured: they pay for what is slow only once."""


async def queued(world: World, runs: int) -> Reading:
    """All requests wait in the broker when the consumer starts."""
    rate = await throughput.measure(world, _BATCH_SIZE, runs, create=_of(uuid7()))
    return Reading(rate.per_second, rate.cpu_ms, rate.megabytes)


async def answered(world: World, runs: int, clients: int) -> Reading:
    """Each client waits for the decision before it sends the next request."""
    async with (
        consuming(**world.settings) as consumer,
        Client.connected(world.amqp_url) as client,
        _answering(Desk(client, flow_run=uuid7())) as desk,
    ):
        await take_through([uuid7() for _ in range(_FIRST_RUNS)], clients, desk.propose)
        new = [uuid7() for _ in range(runs)]
        async with gauged(consumer.process.pid) as usage:
            began = time.perf_counter()
            latencies = await take_through(new, clients, desk.propose)
            seconds = time.perf_counter() - began
    return reading(latencies, seconds, usage)


class Desk:
    """Hands each decision to whoever waits for it."""

    def __init__(self, client: Client, flow_run: UUID) -> None:
        self._client = client
        self._create = _of(flow_run)
        self._waiting: dict[str, Future[dict[str, Any]]] = {}

    async def propose(self, run: UUID, step: str) -> None:
        """Propose the step, and wait until it is accepted; a new run is made with it."""
        request_id = str(uuid7())
        decided = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        await self._client.send(proposal(step, run, create=self._create), request_id=request_id)
        decision = await decided
        if decision["decision"] != "accept":
            raise RuntimeError(f"{step} was not accepted: {decision['code']}")

    async def answer(self) -> None:
        """Hand out decisions without end."""
        while True:
            decision = await self._client.decision()
            self._waiting.pop(decision["request_id"]).set_result(decision)


@asynccontextmanager
async def _answering(desk: Desk) -> AsyncIterator[Desk]:
    answering = asyncio.create_task(desk.answer())
    try:
        yield desk
    finally:
        answering.cancel()
        with suppress(asyncio.CancelledError):
            await answering


def _of(flow_run: UUID) -> dict[str, Any]:
    """What makes a task run of this flow run, and the flow run where it is not there yet."""
    return {"flow_run_id": flow_run, "task_key": "bench"}
