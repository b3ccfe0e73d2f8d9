"""The figures as tables for people, and as JSON for programs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.prefect.figures import Contender, Ratio, Reading, Summary

_COLUMNS = ("clients", "transitions/s", "CPU ms each", "p50 ms", "p99 ms", "peak MB")
_WIDTH = 110


def as_json(
    readings: Mapping[Contender, Sequence[Reading]],
    summaries: Mapping[Contender, Summary],
    compared: Iterable[Ratio],
) -> dict[str, Any]:
    """Medians, each round's figures, and ratios."""
    return {
        "contenders": [
            {
                **asdict(contender),
                **asdict(summary),
                "rounds": [_without_latencies(reading) for reading in readings[contender]],
            }
            for contender, summary in summaries.items()
        ],
        "ratios": [asdict(ratio) for ratio in compared],
    }


def show(
    summaries: Mapping[Contender, Summary],
    compared: Iterable[Ratio],
    heading: str,
    console: Console,
) -> None:
    """Print what each contender came to, and the ratios."""
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_shown(summaries, compared, heading))


def _shown(
    summaries: Mapping[Contender, Summary], compared: Iterable[Ratio], heading: str
) -> RenderableType:
    figures = _table("contender", _COLUMNS)
    for contender, summary in summaries.items():
        figures.add_row(
            contender.kind,
            "all sent" if contender.clients is None else str(contender.clients),
            f"{summary.per_second:,.0f}",
            f"{summary.cpu_ms:.2f}",
            _milliseconds(summary.p50_ms),
            _milliseconds(summary.p99_ms),
            f"{summary.peak_mb:.0f}",
        )
    ratios = _table("Pointsman / Prefect", ("times as fast", "times less CPU"))
    for ratio in compared:
        ratios.add_row(
            f"{ratio.pointsman} / {ratio.prefect}", f"{ratio.rate:.1f}", f"{ratio.cpu:.1f}"
        )
    return Group(Text(heading), Text(), figures, Text(), ratios)


def _table(first: str, columns: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _without_latencies(reading: Reading) -> dict[str, float]:
    return {
        "per_second": reading.per_second,
        "cpu_ms": reading.cpu_ms,
        "peak_mb": reading.peak_mb,
    }
