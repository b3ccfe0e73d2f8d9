"""All contenders, measured in turn, round by round, on one PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.prefect import pointsman
from benchmarks.prefect.environment import PYTHON, environment
from benchmarks.prefect.figures import Contender, Kind, Reading
from benchmarks.prefect.program import started
from benchmarks.prefect.server import serving
from benchmarks.world import prepare
from deploy.servers import postgresql, rabbitmq
from deploy.servers.folders import temporary_folder
from deploy.servers.watch import Watch
from tests.integration.world import World

ENGINE_CLIENTS = (1, 4, 16)
SERVER_CLIENTS = (1, 8, 32)
"""The engine is at its best with fewer than the server; they are measured in turn, pair by pair."""

_ENGINE = "benchmarks.prefect.inside.engine"
_HTTP_CLIENTS = "benchmarks.prefect.inside.http_clients"
_WARM_UP_RUNS = 20

Measure = Callable[[], Awaitable[Reading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many runs, of three transitions each, a contender takes through in a round.

    Pointsman's clients get as many as Prefect's, and ``answered_runs`` more for each of them.
    """

    prefect_runs: int = 40
    answered_runs: int = 16
    queued_runs: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where all work: Pointsman's world, Prefect's database on the same PostgreSQL, its files."""

    world: World
    prefect_url: str
    home: Path
    watch: Watch


@contextmanager
def own_site() -> Iterator[Site]:
    """Servers of the benchmark's own; PostgreSQL writes through to the disk."""
    with rabbitmq() as broker, postgresql() as database, Watch() as watch:
        world = World(broker.create_vhost("bench"), database.create_database("pointsman"))
        prefect_url = database.create_database("prefect")
        with temporary_folder(watch) as home:
            yield Site(world=world, prefect_url=prefect_url, home=home, watch=watch)


@asynccontextmanager
async def contenders(site: Site, sizes: Sizes) -> AsyncIterator[Mapping[Contender, Measure]]:
    """How each is measured once; Prefect's programs and its server stay for the whole block."""
    await prepare(site.world)
    settings = environment(site.home, site.prefect_url)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(started(PYTHON, [_ENGINE], settings))
        await engine.measure(_WARM_UP_RUNS, 1)  # makes the tables, which the server needs
        server = await stack.enter_async_context(serving(site.watch, site.home, site.prefect_url))
        command = [_HTTP_CLIENTS, server.api]
        http = await stack.enter_async_context(started(PYTHON, command, settings))
        await http.measure(_WARM_UP_RUNS, 1)
        of_prefect = sizes.prefect_runs
        measures: dict[Contender, Measure] = {}
        for few, count in zip(ENGINE_CLIENTS, SERVER_CLIENTS, strict=True):
            measures[Contender(Kind.ENGINE, few)] = partial(engine.measure, of_prefect, few)
            measure = partial(http.measure, of_prefect, count, gauge=server.pid)
            measures[Contender(Kind.SERVER, count)] = measure
            runs = of_prefect + sizes.answered_runs * count
            measure = partial(pointsman.answered, site.world, runs, count)
            measures[Contender(Kind.ANSWERED, count)] = measure
        measures[Contender(Kind.QUEUED)] = partial(pointsman.queued, site.world, sizes.queued_runs)
        yield measures


async def in_rounds(
    measures: Mapping[Contender, Measure], rounds: int, tell: Callable[[str], None]
) -> Mapping[Contender, Sequence[Reading]]:
    """All readings of each; every other round goes the other way round.

    So none always comes first, or after the same one.
    """
    readings: dict[Contender, list[Reading]] = {contender: [] for contender in measures}
    for number in range(rounds):
        order = list(measures)[:: 1 if number % 2 == 0 else -1]
        for contender in order:
            reading = await measures[contender]()
            readings[contender].append(reading)
            tell(f"round {number + 1} of {rounds}: {contender}: {reading.per_second:,.0f}/s")
    return readings
