"""Traces over a running consumer: each step a request to a broker, each outcome a decision."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from consumer.client import Client
from consumer.wire.body import OnDelay
from persistence.database import Database, open_database
from persistence.limits import set_limit
from persistence.migrating import upgrade
from rules import RunKind, SetStateStatus, State
from rules.identifiers import uuid7
from rules.moments import utc_now
from tests.conformance.backend import Backend, Outcome
from tests.conformance.traces import Step, Trace, TracedRun, apart
from tests.integration.processes import WAIT_SECONDS, consuming
from tests.integration.world import World

_CLIENTS = 16
"""Enough to fill batches; few enough that a trace is over before its delays look shorter."""

_STATUS = MappingProxyType(
    {
        "accept": SetStateStatus.ACCEPT,
        "reject": SetStateStatus.REJECT,
        "delay": SetStateStatus.WAIT,
        "abort": SetStateStatus.ABORT,
    }
)


@asynccontextmanager
async def consumer_at(amqp_url: str, database_url: str) -> AsyncIterator[Backend]:
    """A consumer over an empty virtual host and an empty database, which gets the schema."""
    world = World(amqp_url, database_url)
    await asyncio.to_thread(upgrade, database_url)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(database_url))
        await stack.enter_async_context(consuming(**world.settings, force_users=world.user))
        connected = [Client.connected(amqp_url, "conformance") for _ in range(_CLIENTS)]
        clients = [await stack.enter_async_context(client) for client in connected]
        yield ConsumerBackend(clients, database, world.user)


class ConsumerBackend:
    """Sets worlds up by requests of their own, as many at once as there are clients."""

    def __init__(self, clients: Sequence[Client], database: Database, user: str) -> None:
        self.at_once: Final = len(clients)
        self._database = database
        self._user = user
        self._idle: asyncio.Queue[Client] = asyncio.Queue()
        for client in clients:
            self._idle.put_nowait(client)

    @asynccontextmanager
    async def world(self, trace: Trace) -> AsyncIterator["ConsumerWorld"]:
        trace = apart(trace)
        for tag, slots in trace.limits.items():
            await set_limit(self._database, tag, slots)
        client = await self._idle.get()
        try:
            world = ConsumerWorld(client, trace.runs, self._user)
            await world.make_runs()
            yield world
        finally:
            self._idle.put_nowait(client)


class ConsumerWorld:
    """A world that is known by its decisions only."""

    def __init__(self, client: Client, runs: Sequence[TracedRun], user: str) -> None:
        self._client = client
        self._runs = {run.key: run for run in runs}
        self._ids = {run.key: uuid7() for run in runs}
        self._user = user

    async def make_runs(self) -> None:
        for key in self._runs:
            await self._present(key)

    async def propose(self, step: Step) -> Outcome:
        state = step.propose.state(utc_now()).model_dump(exclude={"id"})
        # what the trace leaves unsaid is left to the consumer
        state |= {"name": step.propose.name, "timestamp": step.propose.timestamp}
        decision = await self._decision(step.run, state, force=step.force)
        parent_task = self._runs[step.run].parent_task
        return Outcome(
            status=_STATUS[decision["decision"]],
            code=decision["code"],
            delay_seconds=decision["delay_seconds"],
            state=decision["state"] and State.model_validate(decision["state"]),
            run=decision["run"],
            parent_task=None if parent_task is None else await self._present(parent_task),
            now=datetime.fromisoformat(decision["decided_at"]),
        )

    async def _present(self, key: str) -> Mapping[str, Any]:
        """The run as it stands; it is made where it is unknown."""
        run: Mapping[str, Any] = (await self._decision(key, None))["run"]
        return run

    async def _decision(
        self, key: str, state: Mapping[str, Any] | None, *, force: bool = False
    ) -> Mapping[str, Any]:
        run = self._runs[key]
        body = {
            "run": {"kind": run.kind, "id": self._ids[key]},
            "create": _create(run, self._ids),
            "state": state,
            "force": force,
            "on_delay": OnDelay.RETURN,
        }
        async with asyncio.timeout(WAIT_SECONDS):
            request_id = await self._client.send(body, user_id=self._user if force else None)
            # the same decision may come twice, the second time amid later ones
            while (decision := await self._client.decision())["request_id"] != request_id:
                pass
        return decision


def _create(run: TracedRun, ids: Mapping[str, UUID]) -> Mapping[str, Any]:
    shared = {
        "tags": run.tags,
        "policy": {"retries": run.retries, "retry_delay": run.retry_delay},
    }
    if run.kind is RunKind.TASK:
        return shared | {"flow_run_id": ids[run.flow] if run.flow else None}
    return shared | {
        "deployment_id": "a deployment" if run.deployed else None,
        "parent_task_run_id": ids[run.parent_task] if run.parent_task else None,
    }
