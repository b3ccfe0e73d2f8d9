"""A long run in one picture."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tests.soak.panels import PANELS, Panel
from tests.soak.samples import Samples
from tests.soak.schedule import FaultSpan

_ACROSS = 2
_SIZE_INCHES = (13.0, 14.0)
_DOTS_PER_INCH = 80
_SMALL = 7
_SMALLEST = 6
_MINUTE = 60


def draw(samples: Samples, faults: Sequence[FaultSpan], path: Path) -> None:
    """Write the picture as a PNG; faults are lines, labelled in the topmost panels."""
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(PANELS) // _ACROSS, _ACROSS, sharex=True, squeeze=False)
    for place, (axes, panel) in enumerate(zip(grid.flat, PANELS, strict=True)):
        _draw_panel(axes, panel, samples)
        _mark(axes, faults, labelled=place < _ACROSS)
    for axes in grid[-1]:
        axes.set_xlabel("minutes", fontsize=_SMALL)
    figure.savefig(path)


def _draw_panel(axes: Axes, panel: Panel, samples: Samples) -> None:
    axes.set_title(panel.title, fontsize=_SMALL + 2, loc="left")
    axes.set_yscale(panel.scale)
    for line in panel.lines(samples):
        axes.plot(
            [point.at / _MINUTE for point in line.points],
            [point.value for point in line.points],
            label=line.label,
            linewidth=0.8,
            linestyle="--" if line.dashed else "-",
        )
    if panel.scale == "linear":
        axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=_SMALL)
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(fontsize=_SMALL, loc="lower right", framealpha=0.7)


def _mark(axes: Axes, faults: Sequence[FaultSpan], *, labelled: bool) -> None:
    for fault in faults:
        began, ended = fault.began / _MINUTE, fault.ended / _MINUTE
        axes.axvline(began, color="tab:red", linewidth=0.6, alpha=0.6)
        axes.axvspan(began, ended, color="tab:red", alpha=0.08, linewidth=0)
        if labelled:
            axes.text(
                began,
                0.98,
                f" {fault.name}",
                transform=axes.get_xaxis_transform(),
                rotation=90,
                fontsize=_SMALLEST,
                color="tab:red",
                va="top",
                ha="right",
            )
