"""What a user would write instead of taking Pointsman: a table of what may follow what.

aio-pika, and for each message one SQLAlchemy transaction: the run is locked or made, the transition
looked up in a ``dict``, the state inserted, the run updated. Each partition's messages are taken
one after the other, so that runs keep their order, and the partitions side by side. It has no
rules, no retries, no slots, no memory of what it has decided, and answers a duplicate anew.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.peers.echo import until_told_to_stop
from benchmarks.world import PARTITIONS
from consumer.settings import Settings
from consumer.topology.names import DECISIONS, partition_queue

PREFETCH = 256

ALLOWED: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"PENDING"}),
    "PENDING": frozenset({"RUNNING"}),
    "RUNNING": frozenset({"COMPLETED", "FAILED"}),
}


class Base(DeclarativeBase):
    """The tables."""

    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's own form


class RunRow(Base):
    """A run and its present state."""

    __tablename__ = "job"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str | None]
    changed: Mapped[datetime]


class StateRow(Base):
    """A state that a run has had."""

    __tablename__ = "job_state"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), index=True)
    type: Mapped[str]
    at: Mapped[datetime]


async def decide(session: AsyncSession, body: Mapping[str, Any]) -> dict[str, Any]:
    """Write the transition if it may be, and say what was decided."""
    now, run_id, proposed = datetime.now(UTC), UUID(body["run"]["id"]), body["state"]["type"]
    async with session.begin():
        run = await session.get(RunRow, run_id, with_for_update=True)
        if run is None:
            run = RunRow(id=run_id, state=None, changed=now)
            session.add(run)
            await session.flush()
        accepted = proposed in ALLOWED.get(run.state, ())
        if accepted:
            session.add(StateRow(id=uuid4(), run_id=run_id, type=proposed, at=now))
            run.state, run.changed = proposed, now
    return {
        "run": {"id": str(run_id), "state_type": proposed, "state_timestamp": now.isoformat()},
        "decision": "accept" if accepted else "reject",
        "decided_at": now.isoformat(),
    }


async def consume(amqp_url: str, database_url: str) -> None:
    """Decide all that comes, until told to stop."""
    engine = create_async_engine(database_url, pool_size=PARTITIONS)
    async with engine.begin() as transaction:
        await transaction.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    connection = await aio_pika.connect(amqp_url)
    channel = await connection.channel(publisher_confirms=True)
    await channel.set_qos(prefetch_count=PREFETCH)
    decisions = await channel.get_exchange(DECISIONS, ensure=False)

    async def answer(request: AbstractIncomingMessage) -> None:
        async with sessions() as session:
            decision = await decide(session, json.loads(request.body))
        await decisions.publish(reply_to(request, decision), routing_key="job", mandatory=False)
        await request.ack()

    async def serve(queue: AbstractQueue) -> None:
        async with queue.iterator() as requests:
            async for request in requests:
                await answer(request)

    queues = [
        await channel.get_queue(partition_queue(partition), ensure=False)
        for partition in range(PARTITIONS)
    ]
    serving = [asyncio.create_task(serve(queue)) for queue in queues]
    await until_told_to_stop()
    for each in serving:
        each.cancel()
    await asyncio.wait(serving)
    await connection.close()
    await engine.dispose()


def reply_to(request: AbstractIncomingMessage, decision: Mapping[str, Any]) -> aio_pika.Message:
    """The message that carries the decision."""
    return aio_pika.Message(
        json.dumps(decision).encode(),
        message_id=str(uuid4()),
        correlation_id=request.message_id,
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


if __name__ == "__main__":
    settings = Settings.from_environment()
    uvloop.run(
        consume(settings.amqp_url.get_secret_value(), settings.database_url.get_secret_value())
    )
