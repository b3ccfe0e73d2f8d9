"""In tables with many rows, nothing that consumers do reads a table from end to end."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.servers import PostgresServer
from persistence.database import Database
from persistence.engine import open_engine
from persistence.migrating import upgrade
from persistence.schema import Base
from tests.persistence.crowd import Crowd, populate
from tests.persistence.hot_path import WORK
from tests.persistence.multiplying import multiply
from tests.persistence.plans import Plan, plans_of
from tests.persistence.statements import Sent, caught_whole
from tests.servers.databases import fresh_database

TIMES = 400
OFF_THE_PATH = {"topology"}  # read once, at a consumer's start

Plans = Mapping[str, Sequence[Plan]]


@pytest.fixture(scope="module")
def crowded(postgres: PostgresServer) -> Iterator[tuple[str, Crowd]]:
    """The URL of a database with many rows, and some of whom they are of."""
    with fresh_database(postgres) as url:
        upgrade(url)
        yield url, asyncio.run(_fill(url))


@pytest.fixture(scope="module")
def plans(crowded: tuple[str, Crowd]) -> Plans:
    """The plans of all statements of each work."""
    return asyncio.run(_plans(*crowded))


@pytest.fixture
def fresh_plans(postgres_url: str) -> Plans:
    """The same in a database with few rows that was never analyzed, as a consumer opens it."""
    upgrade(postgres_url)
    return asyncio.run(_fresh_plans(postgres_url))


async def _fill(url: str) -> Crowd:
    async with _engine(url) as engine:
        crowd = await populate(Database(engine))
        await multiply(engine, TIMES)
    return crowd


async def _plans(url: str, crowd: Crowd) -> Plans:
    async with _engine(url) as engine:
        return {name: await plans_of(engine, await _sent(engine, crowd, name)) for name in WORK}


async def _fresh_plans(url: str) -> Plans:
    async with _engine(url, by_index=True) as engine:
        crowd = await populate(Database(engine))
        return {name: await plans_of(engine, await _sent(engine, crowd, name)) for name in WORK}


@asynccontextmanager
async def _engine(url: str, *, by_index: bool = False) -> AsyncIterator[AsyncEngine]:
    """One that lives no longer than the event loop does."""
    engine = open_engine(url, by_index=by_index)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _sent(engine: AsyncEngine, crowd: Crowd, name: str) -> list[Sent]:
    with caught_whole(engine) as sent:
        await WORK[name](Database(engine), crowd)
    return sent


@pytest.mark.parametrize("work", WORK)
def test_no_table_is_read_whole(plans: Plans, work: str) -> None:
    assert plans[work]
    assert [read for plan in plans[work] for read in plan.whole_reads()] == []


def test_something_is_looked_up_in_every_table(plans: Plans) -> None:
    for generic in (False, True):
        read = {
            table
            for work in plans.values()
            for plan in work
            if plan.generic is generic
            for table in plan.tables_read()
        }
        assert read == {*Base.metadata.tables} - OFF_THE_PATH


def test_a_consumer_keeps_no_plan_that_read_a_table_whole_while_it_was_small(
    fresh_plans: Plans,
) -> None:
    reads = [read for work in fresh_plans.values() for plan in work for read in plan.whole_reads()]

    assert [read for read in reads if read.startswith("Seq Scan")] == []


@pytest.mark.parametrize(
    ("planted", "parameters", "found"),
    [
        ("SELECT id FROM run WHERE name = $1::TEXT", ("extract",), "Seq Scan of run"),
        ("SELECT id FROM run_state ORDER BY id", (), "Index Only Scan of run_state"),
        (
            "DELETE FROM run WHERE id = ANY (ARRAY(SELECT run_id FROM decision WHERE code = $1))",
            ("cached",),
            "Seq Scan of decision",
        ),
    ],
)
async def test_a_statement_that_reads_a_table_whole_is_found(
    crowded: tuple[str, Crowd], planted: str, parameters: tuple[object, ...], found: str
) -> None:
    async with _engine(crowded[0]) as engine:
        for plan in await plans_of(engine, [Sent(planted, parameters)]):
            assert plan.whole_reads() == [f"{found}: {planted}"]


def test_what_refers_to_a_row_to_be_deleted_is_found_by_an_index(plans: Plans) -> None:
    """The database looks for it by statements of its own, which have no plan to be seen."""
    texts = {plan.text for work in plans.values() for plan in work}
    deleted = {found[1] for text in texts if (found := re.match(r"DELETE FROM (\w+)", text))}
    referring = [
        (table, key)
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in deleted
    ]

    assert deleted == {"run", "concurrency_slot"}
    assert referring
    for table, key in referring:
        indexes = [table.primary_key.columns, *(index.columns for index in table.indexes)]
        assert key.parent in [next(iter(columns)) for columns in indexes], key
