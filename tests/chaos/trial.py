"""One trial: load and faults, then quiet, then the question whether all promises were kept."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.servers import PostgresServer, RabbitServer
from persistence.database import open_database
from tests.chaos.chance import generator
from tests.chaos.checker import Violation, check
from tests.chaos.diary import Diary
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.storm import Rest, Storm
from tests.chaos.fleet import Crash
from tests.chaos.history import History
from tests.chaos.load.traffic import Traffic
from tests.chaos.notes import check_notes
from tests.chaos.place import Place, prepared
from tests.chaos.policy import Misdeed
from tests.chaos.quiet import NotAnsweredError, first_answer, queues, until_quiet
from tests.chaos.rows import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to happen.

    Args:
        seed: what all chances follow from. Times are not among them, so that two trials with one
            seed have the same load and the same faults, but not the same history.
        faults: what may strike.
        once: each fault strikes once, in this order; else they go on until ``seconds`` are over.
        misdeeds: what requests do to their consumers, each once; see ``Traffic``.
        rest: between two faults of one side.
        runs_per_second: how many runs are started.
        seconds: how long load and faults last at most.
    """

    seed: int
    faults: Sequence[Fault]
    once: bool = False
    misdeeds: Sequence[Misdeed] = (
        Misdeed.BLOCK,
        Misdeed.END_THE_PROCESS,
        Misdeed.TAKE_TOO_LONG,
        Misdeed.END_THE_PROCESS,
    )
    rest: Rest = field(default_factory=Rest)
    runs_per_second: float = 4.0
    seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it; ``unrest`` says what was still under way when it should have been quiet."""

    history: History
    violations: Sequence[Violation]
    wrong_notes: Sequence[str]
    crashes: Sequence[Crash]
    unrest: str | None
    struck: Mapping[str, int]
    consumers_started: int

    @property
    def findings(self) -> list[str]:
        """All that is wrong, a text each; empty where nothing is."""
        unrest = [self.unrest] if self.unrest else []
        violations = map(str, self.violations)
        return [*unrest, *map(str, self.crashes), *violations, *self.wrong_notes]


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a database server that a trial may do anything to; ``folder`` is for logs."""

    broker: RabbitServer
    postgres: PostgresServer
    folder: Path


async def trial(servers: Servers, plan: Plan, diary: Diary, end: asyncio.Event) -> Result:
    """Carry out a plan; ``end`` ends load and faults early."""
    rng = generator(plan.seed, "place")
    async with prepared(servers.broker, servers.postgres, servers.folder, rng) as place:
        unrest = None
        async with asyncio.TaskGroup() as tasks:
            traffic = Traffic(place.url, plan.seed, plan.misdeeds, tasks)
            storm = Storm(place, traffic, plan.seed, plan.rest, diary)
            services = [tasks.create_task(service) for service in traffic.services()]
            consumers = tasks.create_task(place.fleet.run())
            load = tasks.create_task(traffic.run(plan.runs_per_second))
            try:
                await first_answer(traffic)
                await _rage(storm, plan, end)
                load.cancel()
                diary.note("no more faults; waiting until all is quiet")
                await until_quiet(place, traffic)
            except NotAnsweredError as error:
                unrest = str(error)
                load.cancel()
                traffic.abandon()
            diary.note(unrest or "all is quiet")
            place.fleet.stop()
            await consumers
            for service in services:
                service.cancel()
        history, wrong_notes = await _history(place, traffic)
        return Result(
            history=history,
            wrong_notes=wrong_notes,
            violations=check(history),
            crashes=place.fleet.crashes,
            unrest=unrest,
            struck=Counter(storm.struck),
            consumers_started=place.fleet.starts,
        )


async def _rage(storm: Storm, plan: Plan, end: asyncio.Event) -> None:
    """Let the plan's faults strike, for no longer than it says."""
    timer = asyncio.get_running_loop().call_later(plan.seconds, end.set)
    await storm.rage(plan.faults, end, once=plan.once)
    if not plan.once:
        await end.wait()
    timer.cancel()


async def _history(place: Place, traffic: Traffic) -> tuple[History, Sequence[str]]:
    async with open_database(place.database_url) as database:
        rows = await read_rows(database)
        wrong_notes = await check_notes(database, rows.decisions)
    history = History(
        sent=traffic.outbox.sent(),
        heard=traffic.answers.heard,
        rows=rows,
        queues=await queues(place),
    )
    return history, wrong_notes
