"""Long tables are measured beside short ones; here they are not long, and nothing is timed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic_core import from_json

from benchmarks.pace import Pace
from benchmarks.sizes import report
from benchmarks.sizes.measuring import Measured, by_limits, by_one_row, by_runs
from benchmarks.sizes.plan import Plan
from benchmarks.sizes.stage import Stage
from deploy.servers import PostgresServer
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost

SMALL = Plan(copies=3, limit_copies=2, warm_up_runs=0, runs=10, requests=20, rounds=1, hot_rounds=1)


@pytest.fixture
def stage(vhost: Vhost, postgres: PostgresServer) -> Iterator[Stage]:
    with ExitStack() as databases:
        yield Stage(vhost.url, lambda: databases.enter_context(fresh_database(postgres)))


async def test_many_runs_are_measured_beside_none(stage: Stage) -> None:
    many = "300 runs, 1,200 states, 1,200 decisions"

    assert [(each.name, each.ratio is None) async for each in by_runs(stage, SMALL)] == [
        ("empty tables", True),
        (many, False),
        ("empty tables, random ids", True),
        (f"{many}, random ids", False),
    ]


async def test_many_limits_are_measured_beside_few(stage: Stage) -> None:
    assert [(each.name, each.ratio is None) async for each in by_limits(stage, SMALL)] == [
        ("10 limited tags, 0 held slots", True),
        ("20 limited tags, 200 held slots", False),
    ]


async def test_one_run_and_one_tag_for_all_are_measured_by_themselves(stage: Stage) -> None:
    assert [(each.name, len(each.paces)) async for each in by_one_row(stage, SMALL)] == [
        ("one run, 20 requests in a row", SMALL.hot_rounds),
        ("one limited tag for all, room for all", SMALL.hot_rounds),
        ("one limited tag for all, 10 slots, the others delayed", SMALL.hot_rounds),
    ]


async def test_what_is_measured_is_printed_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paces = [Pace(rate, rate / 1_000, 90) for rate in (900, 1_200, 1_000)]

    async def measuring() -> AsyncIterator[Measured]:
        yield Measured("long tables", paces, 0.934)

    file = tmp_path / "new" / "sizes.json"
    await report(measuring(), SMALL, file)

    _, shown = capsys.readouterr().out.splitlines()
    assert shown.split() == ["long", "tables", "1000", "(900-1200)", "1.00", "0.93"]
    [kept] = from_json(file.read_bytes())["measured"]
    assert kept["name"] == "long tables"
    assert [pace["per_second"] for pace in kept["paces"]] == [900, 1_200, 1_000]
