"""The consumer as a process: put together from settings, stopped by signals."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from consumer.dead_letters.burial import REASONS, UNDELIVERED
from consumer.dead_letters.filling import Filling
from consumer.dead_letters.letters import LetterWriter
from consumer.health.endpoints import health_served
from consumer.health.metrics import Metrics
from consumer.health.readiness import Readiness
from consumer.policies import load_policy
from consumer.settings import Settings
from consumer.wire.reading import RequestReader
from consumer.worker.consumer import Consumer, Consumption
from consumer.worker.deciding import Decider, Statute
from consumer.worker.governing import Governor
from consumer.worker.judging import Judge
from consumer.worker.lookout import Lookout
from consumer.worker.patience import Patience
from consumer.worker.recording import Answering
from consumer.worker.rounds import Router
from consumer.worker.setbacks import Setbacks
from consumer.worker.watchdog import STALL_SECONDS, no_longer_than, watchdog
from persistence.database import Database, open_database
from persistence.exclusive import only_consumer
from persistence.topology import record_partitions
from rules import OrchestrationSettings
from rules.moments import utc_now

log = structlog.get_logger(__name__)

BATCHES_IN_FLIGHT = 2
"""So many are governed at a time, so that the processor works while the database commits."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_consumer(settings: Settings) -> None:
    """Consume until a signal says stop.

    Raises:
        SettingsError: a policy can't be used, or the port for health and metrics can't be had.
        PersistenceError: the database can't be reached, its schema is not the program's, it was
            set up for another number of partitions, or it is a SQLite file and another consumer's.
        BrokerError: the broker can't be reached, or it refuses us, at the very first.
    """
    statute = build_statute(settings)
    metrics = build_metrics()
    async with (
        health_served(settings.http_host, settings.http_port, metrics),
        open_database(settings.database, by_index=True) as database,
    ):
        await database.check_schema()
        with database.failures_told():
            await record_partitions(database, settings.partitions)
        consumer = build_consumer(settings, statute, database, metrics)
        with only_consumer(database), stop_on_signals() as stop:
            # A batch that only takes too long is ended first, without taking the process along.
            async with watchdog(settings.processing_seconds + STALL_SECONDS):
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


def build_metrics() -> Metrics:
    """The metrics of a consumer, which is not ready yet."""
    return Metrics(Readiness(), (*REASONS, UNDELIVERED))


def build_consumer(
    settings: Settings,
    statute: Statute,
    database: Database,
    metrics: Metrics | None = None,
) -> Consumer:
    """Put the consumer together, with metrics of its own where none are given."""
    metrics = metrics or build_metrics()
    name = f"pointsman@{socket.gethostname()}:{os.getpid()}"
    router = Router(settings.partitions)
    decider = Decider(statute, Answering(router, LetterWriter(name)), utc_now)
    patience = Patience(metrics.readiness, metrics.storage)
    setbacks = Setbacks(database, decider, patience, settings.max_failures, utc_now)
    consumption = Consumption(
        broker=settings.broker,
        name=name,
        partitions=settings.partitions,
        prefetch=settings.prefetch,
        batch_size=settings.batch_size,
        # SQLite lets only one write at a time.
        batches_in_flight=BATCHES_IN_FLIGHT if database.file is None else 1,
    )
    governor = Governor(database, setbacks, router, settings.processing_seconds, metrics.storage)
    reader = RequestReader(settings.max_body_bytes, settings.reply_to_pattern)
    lookout = Lookout(database, metrics.readiness, patience)
    filling = Filling(database, reader, Judge(decider), patience, metrics.letters)
    return Consumer(consumption, filling, governor, reader, router, lookout, metrics)


@contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM or SIGINT sets; a second signal ends the process at once."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def on_signal(number: int) -> None:
        stop.set()
        for each in _STOP_SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        log.info("stopping", signal=signal.Signals(number).name)

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
    if stop.is_set():
        consumer.lookout.readiness.stop()
    if not running.done():
        _, unfinished = await asyncio.wait({running}, timeout=seconds)
        if unfinished:
            log.warning("not-finished-in-time", seconds=seconds)
            running.cancel()
            with no_longer_than(0):
                await asyncio.wait({running})
            return
    running.result()
