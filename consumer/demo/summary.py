"""The summary at the end: what the decisions come to."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.demo.palette import VERDICTS
from consumer.demo.plans import Answer
from consumer.demo.tally import Delay, Figures


def summary(figures: Figures) -> RenderableType:
    """The figures: decisions at the left, runs and messages at the right."""
    beside = Table.grid(padding=(0, 5, 0, 0))
    beside.add_row(_decisions(figures), Group(_runs(figures), Text(), _messages(figures)))
    return beside


def _decisions(figures: Figures) -> Table:
    table = _block("Decided", "with code")
    for answer, number in figures.answers:
        table.add_row(Text(answer.verdict, VERDICTS[answer.verdict]), _code(answer), str(number))
    return table


def _runs(figures: Figures) -> Table:
    table = _block("Runs ended as")
    for name, number in figures.ends:
        table.add_row(name, str(number))
    return table


def _messages(figures: Figures) -> Table:
    table = _block("Sent and received")
    table.add_row("requests sent", str(figures.sent))
    table.add_row("decisions received", str(figures.decisions))
    table.add_row("received once more, same bytes", str(figures.duplicates))
    table.add_row("received for a run moved along", str(figures.announcements))
    table.add_row("dead letters", str(figures.letters))
    table.add_row("publish to decision, median", _milliseconds(figures.median_seconds))
    table.add_row("longest delay kept", _kept(figures.longest_delay))
    return table


def _block(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    return table


def _code(answer: Answer) -> Text:
    return Text(answer.code or "", VERDICTS[answer.verdict])


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


def _kept(delay: Delay | None) -> str:
    return "-" if delay is None else f"{delay.kept:.2f} s"
