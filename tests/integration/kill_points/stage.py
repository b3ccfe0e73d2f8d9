"""Where consumers die: the audience that hears all, those that take over, and what is left."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from consumer.broker.connection import connect
from consumer.broker.messages import Delivery, Outgoing, Properties
from consumer.settings import Settings
from consumer.topology.description import describe
from consumer.topology.names import DEAD_LETTERS, DECISIONS, delay_level, partition_queue
from consumer.wire.decisions import Verdict
from consumer.worker.process import build_consumer, build_metrics, build_statute
from persistence.database import Database, open_database
from persistence.limits import set_limit
from persistence.records import Forward
from persistence.schema import Base, TopologyRow, table_of
from tests.chaos.history import EVERYTHING, Heard, History, QueueAtEnd, Rows, Sent
from tests.chaos.rows import read_rows
from tests.integration.forked import Forked, fork_into
from tests.integration.kill_points.launcher import consume
from tests.integration.kill_points.load import LIMITED, load
from tests.integration.misdeed_policy import POLICY
from tests.integration.pausing import until
from tests.integration.processes import WAIT_SECONDS, environment
from tests.integration.world import PARTITIONS, Watcher, World, watching

_REPLIES = "replies"
_END = "end"
_LOOK_SECONDS = 0.1
_QUEUES = tuple(queue.name for queue in describe(PARTITIONS).queues)
_BUSY = (DEAD_LETTERS, *map(partition_queue, range(PARTITIONS)), *map(delay_level, range(3)))


def settings_of(world: World) -> Mapping[str, str]:
    """Settings under which a small load makes several batches, and delays are short."""
    return {
        **world.settings,
        "task_policy": POLICY,
        "batch_size": "7",
        "slot_delay_seconds": "1",
        "max_failures": "1",
        "log_format": "json",
    }


@dataclass(frozen=True, slots=True)
class Doomed:
    """A consumer that kills itself, and the file of its log."""

    process: Forked
    log: Path

    async def consuming(self) -> None:
        """Wait until it has subscribed."""
        await until(lambda: b'"consuming"' in self.log.read_bytes() or self._has_ended)

    async def ended(self) -> tuple[int, str]:
        """The exit code, negative where a signal ended it, and the last that it wrote."""
        async with asyncio.timeout(WAIT_SECONDS):
            code = await self.process.wait()
        lines = await asyncio.to_thread(self.log.read_text)
        return code, lines.splitlines()[-1]

    @property
    def _has_ended(self) -> bool:
        return self.process.returncode is not None


@asynccontextmanager
async def doomed(world: World, point: str, times: int, log: Path) -> AsyncIterator[Doomed]:
    """A consumer that kills itself at the point; killed at the end where it did not."""
    with log.open("wb") as out:
        process = await fork_into(out, environment(**settings_of(world)), consume, point, times)
    try:
        yield Doomed(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def survivor(world: World) -> AsyncIterator[None]:
    """A plain consumer, in this process."""
    settings = Settings.from_environment(**settings_of(world))
    stop = asyncio.Event()
    async with open_database(world.database_url) as database:
        metrics = build_metrics()
        consumer = build_consumer(settings, build_statute(settings), database, metrics)
        running = asyncio.create_task(consumer.run(stop))
        try:
            await until(lambda: metrics.readiness.is_ready or running.done())
            yield
        finally:
            stop.set()
            await running


@dataclass(slots=True)
class Audience:
    """Sends a load, and hears all that is decided on it."""

    world: World
    watcher: Watcher
    database: Database
    sent: list[Sent] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    async def send(self) -> None:
        """Publish the load."""
        items = load(self.watcher.reply_to, _REPLIES)
        self.sent += [item.sent for item in items]
        copies = [item.outgoing for item in items for _ in range(item.sent.copies)]
        await self.watcher.send_all(copies)

    async def calm(self) -> None:
        """Wait until nothing is left to be decided, and no queue that is used holds anything."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not await self._is_calm():  # noqa: ASYNC110  it is elsewhere that it gets calm
                await asyncio.sleep(_LOOK_SECONDS)

    async def history(self) -> History:
        """All of it; no consumer is to be there any more, so that what one held is counted."""
        await self._listen()
        counted = await self._waiting(_QUEUES)
        return History(
            sent=self.sent,
            heard=self.heard,
            rows=await read_rows(self.database),
            queues={
                name: QueueAtEnd(ready=ready, unacknowledged=0) for name, ready in counted.items()
            },
        )

    async def _listen(self) -> None:
        """Note all that was published, up to a message that is published now."""
        end = Properties(message_id=_END)
        to = (DECISIONS, _END), ("", self.watcher.reply_to)
        await self.watcher.send_all(
            [Outgoing(exchange=name, routing_key=key, body=b"", properties=end) for name, key in to]
        )
        async with asyncio.timeout(WAIT_SECONDS):
            await self._note(self.watcher.heard, EVERYTHING)
            await self._note(self.watcher.replied, _REPLIES)

    async def _note(
        self, listen: Callable[[int], Awaitable[list[Delivery]]], subscription: str
    ) -> None:
        while True:
            [each] = await listen(1)
            if each.properties.message_id == _END:
                return
            self.heard.append(
                Heard(
                    subscription=subscription,
                    routing_key=each.routing_key,
                    message_id=each.properties.message_id or "",
                    correlation_id=each.properties.correlation_id,
                    body=each.body,
                    at=time.monotonic(),
                )
            )

    async def _is_calm(self) -> bool:
        return self._is_done(await read_rows(self.database)) and await self._is_empty()

    def _is_done(self, rows: Rows) -> bool:
        final = {row.request_id for row in rows.decisions if row.decision != Verdict.DELAY}
        asked = {each.request_id for each in self.sent if each.request_id is not None}
        letters = sum(row.forward is Forward.DEAD_LETTER for row in rows.decisions)
        nameless = sum(each.request_id is None for each in self.sent)
        return asked <= final and len(rows.letters) >= letters + nameless

    async def _is_empty(self) -> bool:
        return not any((await self._waiting(_BUSY)).values())

    async def _waiting(self, names: Iterable[str]) -> Mapping[str, int]:
        connection = await connect(self.world.amqp_url, "test counting")
        try:
            async with connection.channel() as channel:
                told = [await channel.queue_declare(name, passive=True) for name in names]
        finally:
            await connection.close()
        return {str(each.queue): int(each.message_count or 0) for each in told}


@asynccontextmanager
async def audience(world: World) -> AsyncIterator[Audience]:
    """An audience in its place, where nothing is left of others."""
    async with open_database(world.database_url) as database:
        await _clear(world, database)
        async with watching(world.amqp_url) as watcher:
            yield Audience(world, watcher, database)


async def _clear(world: World, database: Database) -> None:
    kept = table_of(TopologyRow).name
    tables = ", ".join(name for name in Base.metadata.tables if name != kept)
    async with database.writing() as transaction:
        await transaction.execute(text(f"TRUNCATE {tables}"))
    await set_limit(database, LIMITED, 1)
    connection = await connect(world.amqp_url, "test clearing")
    async with connection.channel() as channel:
        for name in _BUSY:
            await channel.queue_purge(name)
    await connection.close()
