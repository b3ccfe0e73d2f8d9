"""A long run, from the first quiet moment to the last."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil

from deploy.servers import PostgresServer, RabbitServer
from tests.integration.processes import pointsman
from tests.soak.broker_gauge import ConnectionGauge, QueueGauge
from tests.soak.consumers import consumers
from tests.soak.database_gauge import DatabaseGauge
from tests.soak.faults import Site
from tests.soak.listener import make_queues
from tests.soak.load import Load, loading
from tests.soak.load_gauge import LoadGauge
from tests.soak.metrics_gauge import MetricsGauge
from tests.soak.plan import CONSUMERS, Plan, Result
from tests.soak.process_gauge import ProcessGauge
from tests.soak.quiet import quiet_readings
from tests.soak.sampler import Sampler
from tests.soak.samples import SampleFile
from tests.soak.schedule import Schedule
from tests.soak.stories import SLOTS, TAG
from tests.soak.verdict import Evidence

_SLOT_DELAY_SECONDS = 2
_SAMPLES_PER_SLOW_SAMPLE = 6
_LOOK_SECONDS = 1.0


class SoakError(Exception):
    """A run could not be begun; the text says why."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a database server of the run's own."""

    broker: RabbitServer
    postgres: PostgresServer


async def soak(plan: Plan, servers: Servers, stop: asyncio.Event, result: Result) -> None:
    """Run as planned, or until stopped, and put into ``result`` what comes of it on the way.

    A consumer that ends by itself stops the run.

    Raises:
        SoakError: tables or queues could not be made.
    """
    settings: dict[str, object] = {
        "amqp_url": servers.broker.url,
        "database_url": servers.postgres.create_database("soak"),
        "slot_delay_seconds": _SLOT_DELAY_SECONDS,
    }
    await _prepare(settings)
    with consumers(CONSUMERS, settings, plan.out) as processes:
        rng = random.Random(plan.seed)  # noqa: S311 - for faults, not for secrets
        site = Site(servers.broker, servers.postgres, processes, rng)
        async with (
            loading(servers.broker.url, plan.rate, plan.seed) as load,
            _sampling(plan, site, load, str(settings["database_url"])) as sampler,
            _ending_with_a_consumer(site, stop),
        ):
            result.samples = sampler.samples
            await _Run(plan, site, load, sampler, stop).go(result)


@dataclass(frozen=True, slots=True)
class _Run:
    plan: Plan
    site: Site
    load: Load
    sampler: Sampler
    stop: asyncio.Event

    async def go(self, result: Result) -> None:
        plan, tally, clock = self.plan, self.load.tally, self.sampler.clock
        self.load.open = True
        await _until(self.stop, plan.warm_up_seconds)
        first = await quiet_readings(self.load, self.sampler)
        schedule = Schedule(plan.seconds_between_faults, clock() + plan.seconds, clock)
        result.faults = schedule.made
        self.load.open = True
        faults = asyncio.create_task(schedule.run(self.site))
        await _until(self.stop, plan.seconds)
        faults.cancel()
        [trouble] = await asyncio.gather(faults, return_exceptions=True)
        if isinstance(trouble, Exception):
            raise trouble
        last = await quiet_readings(self.load, self.sampler)
        result.totals = tally.totals()
        result.evidence = Evidence(
            samples=self.sampler.samples,
            first=first,
            last=last,
            missing=len(tally.missing),
            unconfirmed=tally.sent - tally.confirmed,
            surprises=tally.surprises,
            failed_faults=[
                f"{fault.name}: {fault.error}" for fault in schedule.made if fault.error
            ],
            exits=[await consumer.stop() for consumer in self.site.consumers],
        )


async def _prepare(settings: Mapping[str, object]) -> None:
    """Make tables, queues, and the limit."""
    commands = (("db", "upgrade"), ("topology", "declare"), ("limits", "set", TAG, str(SLOTS)))
    for command in commands:
        ended = await pointsman(*command, **settings)
        if ended.code != 0:
            raise SoakError(ended.err)
    await make_queues(str(settings["amqp_url"]))


@asynccontextmanager
async def _sampling(plan: Plan, site: Site, load: Load, url: str) -> AsyncIterator[Sampler]:
    """Samples are taken for as long as the block lasts."""
    began = time.monotonic()
    processes = [
        ProcessGauge(consumer.number, psutil.Process(consumer.pid)) for consumer in site.consumers
    ]
    scrapes = [MetricsGauge(consumer.number, consumer.http_port) for consumer in site.consumers]
    database = DatabaseGauge(url)
    with plan.sample_file.open("w", newline="") as file:
        sampler = Sampler(
            gauges=[*processes, *scrapes, QueueGauge(site.broker), database, LoadGauge(load)],
            slow=[ConnectionGauge(site.broker)],
            file=SampleFile(file, len(processes)),
            every=plan.seconds_between_samples,
            slowly=plan.seconds_between_samples * _SAMPLES_PER_SLOW_SAMPLE,
            clock=lambda: time.monotonic() - began,
        )
        async with _beside(sampler.run()):
            yield sampler
        database.close()


@asynccontextmanager
async def _ending_with_a_consumer(site: Site, stop: asyncio.Event) -> AsyncIterator[None]:
    """The run is stopped if a consumer ends within the block."""

    async def attend() -> None:
        # A process tells nobody that it ends.
        while not any(one.has_ended for one in site.consumers):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        stop.set()

    async with _beside(attend()):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something for as long as the block lasts."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()


async def _until(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until stopped."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
