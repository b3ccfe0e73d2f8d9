"""Databases to measure in, one beside the other on one server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import func, select

from benchmarks.pace import pace
from benchmarks.sizes.requests import Bodies
from benchmarks.world import prepare
from persistence.database import open_database
from persistence.engine import TimeLimits, open_engine
from persistence.limits import set_limit
from persistence.schema import Base, table_of
from tests.integration.world import World
from tests.persistence.multiplying import multiply

_NO_LIMITS: Mapping[str, int] = MappingProxyType({})
_PATIENT = TimeLimits(statement_seconds=900, answer_seconds=900)  # long tables take their time


@dataclass(frozen=True, slots=True)
class Stage:
    """A broker's virtual host, and how an empty database is made."""

    amqp_url: str
    create_database: Callable[[], str]

    async def world(self, limits: Mapping[str, int] = _NO_LIMITS) -> World:
        """One with a database of its own that holds nothing but these limits of tags."""
        world = World(self.amqp_url, self.create_database())
        await prepare(world)
        async with open_database(world.database_url) as database:
            for tag, slots in limits.items():
                await set_limit(database, tag, slots)
        return world


async def fill(world: World, bodies: Bodies, copies: int) -> None:
    """Govern these requests, and let all that came of it, limits too, be there so many times."""
    await pace(world, bodies)
    engine = open_engine(world.database_url, _PATIENT)
    try:
        await multiply(engine, copies)
    finally:
        await engine.dispose()


async def rows(world: World, row: type[Base]) -> int:
    """How many rows a table has."""
    counting = select(func.count()).select_from(table_of(row))
    async with (
        open_database(world.database_url, _PATIENT) as database,
        database.reading() as connection,
    ):
        return (await connection.execute(counting)).scalar_one()
