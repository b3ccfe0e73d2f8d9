"""The consumer as a process: put together from settings, stopped by signals."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from consumer.dead_letters.letters import LetterWriter
from consumer.policies import load_policy
from consumer.settings import Settings
from consumer.wire.reading import RequestReader
from consumer.worker.consumer import Consumer, Consumption
from consumer.worker.deciding import Decider, Statute
from consumer.worker.governing import Governor
from consumer.worker.recording import Answering
from consumer.worker.rounds import Router
from consumer.worker.setbacks import Setbacks
from persistence.database import Database, open_database
from persistence.topology import record_partitions
from rules import OrchestrationSettings
from rules.moments import utc_now

log = structlog.get_logger(__name__)

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_consumer(settings: Settings) -> None:
    """Consume until a signal says stop.

    Raises:
        SettingsError: a policy can't be used.
        PersistenceError: the database can't be reached, its schema is not the program's, or it
            was set up for another number of partitions.
        BrokerError: the broker can't be reached, or it refuses us, at the very first.
    """
    statute = build_statute(settings)
    async with open_database(settings.database_url.get_secret_value()) as database:
        await database.check_schema()
        await record_partitions(database, settings.partitions)
        consumer = build_consumer(settings, statute, database)
        with stop_on_signals() as stop:
            await _run_until_stopped(consumer, stop, settings.shutdown_seconds)
    log.info("stopped")


def build_statute(settings: Settings) -> Statute:
    """By what is governed; users' own policies are imported here."""
    return Statute(
        task_policy=load_policy(settings.task_policy, "POINTSMAN_TASK_POLICY"),
        flow_policy=load_policy(settings.flow_policy, "POINTSMAN_FLOW_POLICY"),
        settings=OrchestrationSettings(slot_delay_seconds=settings.slot_delay_seconds),
        force_users=frozenset(settings.force_users),
    )


def build_consumer(settings: Settings, statute: Statute, database: Database) -> Consumer:
    """Put the consumer together."""
    name = f"pointsman@{socket.gethostname()}:{os.getpid()}"
    router = Router(settings.partitions)
    decider = Decider(statute, Answering(router, LetterWriter(name)), utc_now)
    setbacks = Setbacks(database, decider, settings.max_failures, utc_now)
    consumption = Consumption(
        amqp_url=settings.amqp_url.get_secret_value(),
        name=name,
        partitions=settings.partitions,
        prefetch=settings.prefetch,
        batch_size=settings.batch_size,
    )
    governor = Governor(database, decider, setbacks, router, settings.processing_seconds)
    reader = RequestReader(settings.max_body_bytes, settings.reply_to_pattern)
    return Consumer(consumption, database, governor, reader, router)


@contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM or SIGINT sets; a second signal ends the process at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def on_signal(number: int) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()
        for each in _STOP_SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for each in _STOP_SIGNALS:
        loop.add_signal_handler(each, on_signal, each)
    try:
        yield stop
    finally:
        for each in _STOP_SIGNALS:
            loop.remove_signal_handler(each)


async def _run_until_stopped(consumer: Consumer, stop: asyncio.Event, seconds: float) -> None:
    """Run; once told to stop, give what is being governed so many seconds to be finished."""
    running = asyncio.create_task(consumer.run(stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        _, unfinished = await asyncio.wait({running}, timeout=seconds)
        if unfinished:
            log.warning("not-finished-in-time", seconds=seconds)
            running.cancel()
            await asyncio.wait({running})
            return
    running.result()
