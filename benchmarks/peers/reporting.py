"""What came of the comparison: a table for eyes, a picture, and values for a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from benchmarks.peers.comparing import Round, Target
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.peers.measuring import WINDOW, Measured

_COLUMNS: Mapping[str, tuple[str, str]] = {
    "per_second": ("each second", ",.0f"),
    "cpu_ms": ("ms of CPU", ".3f"),
    "peak_mb": ("MB at most", ".0f"),
    "light_p50_ms": ("light p50 ms", ".1f"),
    "light_p99_ms": ("light p99 ms", ".1f"),
    "window_p50_ms": (f"{WINDOW} p50 ms", ".0f"),
    "window_p99_ms": (f"{WINDOW} p99 ms", ".0f"),
}
_NARROW = 5
_OURS, _OTHERS = "tab:blue", "tab:gray"
_SIZE_INCHES = (11.0, 3.2)
_DOTS_PER_INCH = 80


def table(found: Round) -> Table:
    """One row a contender: transitions, CPU time of one, memory, and latencies.

    These are at a light load, and with so many requests under way.
    """
    made = Table("", *(title for title, _ in _COLUMNS.values()), box=None)
    for column in made.columns[1:]:
        column.justify, column.min_width = "right", _NARROW
    made.columns[0].no_wrap = True
    for each in CONTENDERS:
        values = (
            format(getattr(found[each.name], name), form) for name, (_, form) in _COLUMNS.items()
        )
        made.add_row(each.title, *values)
    return made


def target_table(targets: Sequence[Target]) -> Table:
    """What is to be reached, and what was."""
    made = Table("Pointsman on PostgreSQL", "measured", "target", "", box=None)
    for each in targets:
        sign = "≥" if each.at_least else "≤"
        met = "met" if each.is_met else "[bold red]not met[/]"
        made.add_row(each.title, f"{each.value:.2f}", f"{sign} {each.limit:g}", met)
    return made


def values(
    found: Round, seen: Mapping[str, Sequence[Measured]], targets: Sequence[Target]
) -> Mapping[str, Any]:
    """All of it for a file: the medians, each round, and the targets."""
    return {
        "medians": {name: asdict(one) for name, one in found.items()},
        "rounds": {name: [asdict(one) for one in each] for name, each in seen.items()},
        "targets": [asdict(each) | {"is_met": each.is_met} for each in targets],
    }


def draw(found: Round, path: Path) -> None:
    """Write a picture as a PNG: rates, CPU and latency, one bar a contender."""
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, name in zip(panels, ("per_second", "cpu_ms", "light_p50_ms"), strict=True):
        _draw_panel(axes, found, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_panel(axes: Axes, found: Round, name: str) -> None:
    title, form = _COLUMNS[name]
    shown = list(reversed(CONTENDERS))
    heights = [getattr(found[each.name], name) for each in shown]
    colours = [_OURS if each.name.startswith("pointsman") else _OTHERS for each in shown]
    bars = axes.barh([each.title for each in shown], heights, color=colours)
    axes.bar_label(bars, labels=[format(height, form) for height in heights], padding=3)
    axes.set_title(title, loc="left")
    axes.margins(x=0.2)
    axes.spines[["top", "right"]].set_visible(False)
