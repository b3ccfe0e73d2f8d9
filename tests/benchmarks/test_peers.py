"""Pointsman and its peers take the same requests, and each is seen in every figure."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.peers.comparing import medians, rounds, targets
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.peers.measuring import Measured, Size, quantile
from benchmarks.peers.reporting import draw, table, target_table, values
from benchmarks.results import save
from benchmarks.world import Servers
from deploy.servers import PostgresServer, RabbitServer

SEEN = Measured(
    per_second=1_000,
    cpu_ms=0.5,
    peak_mb=100,
    window_p50_ms=90,
    window_p99_ms=200,
    light_p50_ms=4,
    light_p99_ms=9,
)
FOUND = {each.name: SEEN for each in CONTENDERS}


async def test_every_contender_decides_all_that_it_gets(
    broker: RabbitServer, postgres: PostgresServer, tmp_path: Path
) -> None:
    size = Size(full_runs=20, window_runs=10, light_seconds=0.2)
    names = [
        (count, contender.name)
        async for count, contender, seen in rounds(Servers(broker, postgres), tmp_path, size, 2)
        if seen.per_second > 0 and seen.light_p99_ms >= seen.light_p50_ms > 0
    ]
    assert names == [(count, each.name) for count in range(2) for each in CONTENDERS]


@pytest.mark.parametrize(
    ("name", "changes", "missed"),
    [
        ("pointsman", {}, ["rate / hand-written"]),
        ("pointsman", {"per_second": 5_000}, []),
        ("echo", {"per_second": 1_001}, ["rate / echo", "rate / hand-written"]),
        ("echo", {"light_p50_ms": 1}, ["rate / hand-written", "light p50 / echo's"]),
        ("pointsman", {"peak_mb": 151}, ["rate / hand-written", "peak memory, MB"]),
    ],
)
def test_targets_are_ratios_of_pointsman_on_postgresql(
    name: str, changes: dict[str, float], missed: list[str]
) -> None:
    found = FOUND | {name: replace(SEEN, **changes)}
    assert [each.title for each in targets(found) if not each.is_met] == missed


def test_of_several_rounds_the_median_counts_figure_by_figure() -> None:
    rates = [replace(SEEN, per_second=rate, cpu_ms=1 / rate) for rate in (3, 1, 2)]
    assert medians(rates) == replace(SEEN, per_second=2, cpu_ms=1 / 2)


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.5, 0.99, 1)] == [1, 3, 4, 4]


def test_what_was_found_is_shown_and_saved(tmp_path: Path) -> None:
    console = Console(record=True, width=200)
    reached = targets(FOUND)
    console.print(table(FOUND), target_table(reached))
    shown = console.export_text()
    assert all(each.title in shown for each in CONTENDERS)
    assert shown.count("not met") == 1

    draw(FOUND, tmp_path / "new" / "peers.png")
    assert (tmp_path / "new" / "peers.png").read_bytes().startswith(b"\x89PNG")

    path = save(
        "peers", values(FOUND, {name: [one] for name, one in FOUND.items()}, reached), tmp_path
    )
    saved = json.loads(path.read_text())
    assert saved["medians"]["echo"]["cpu_ms"] == SEEN.cpu_ms
    assert [each["is_met"] for each in saved["targets"]] == [True, False, True, True]
    assert saved["machine"]["processors"] > 0
