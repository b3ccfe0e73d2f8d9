"""Decisions as a live table on a terminal, with a lamp for each run beneath."""

import time
from collections import Counter, deque
from types import TracebackType
from typing import Self
from uuid import UUID

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from consumer.demo.journal import Entry, EntryKind
from consumer.demo.palette import STATES, VERDICTS
from consumer.demo.rows import Row, row
from consumer.demo.tally import keep_latest
from consumer.wire.decisions import RunSummary, Verdict
from rules.states import StateType

_MOST_ROWS = 40
_LINES_AROUND = 8
_FRAME_SECONDS = 0.08
_WIDE = 100


class LiveScreen:
    """Shows the newest decisions, as many as there is room for, and how all runs stand."""

    def __init__(self, console: Console, headline: str) -> None:
        self._console = console
        self._headline = headline
        self._rows: deque[Row] = deque(maxlen=_MOST_ROWS)
        self._runs: dict[UUID, RunSummary] = {}
        self._verdicts: Counter[Verdict] = Counter()
        self._drawn_at = 0.0
        self._live = Live(console=console, auto_refresh=False, get_renderable=self._render)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, entry: Entry) -> None:
        """Take the decision into the table; it is drawn with the next frame."""
        self._rows.append(row(entry))
        if entry.kind is EntryKind.NEW:
            self._verdicts[entry.decision.decision] += 1
        keep_latest(self._runs, entry)
        self.refresh()

    def refresh(self) -> None:
        """Draw a frame, unless one was drawn a moment ago."""
        if time.monotonic() - self._drawn_at >= _FRAME_SECONDS:
            self._live.refresh()
            self._drawn_at = time.monotonic()

    def _render(self) -> RenderableType:
        title = _line()
        title.append(" pointsman demo ", "bold reverse").append(f"  {self._headline}", "dim")
        return Group(title, Text(), self._table(), Rule(style="bright_black"), *self._foot())

    def _table(self) -> Table:
        width, height = self._console.size
        table = _empty_table(wide=width >= _WIDE)
        room = max(3, min(_MOST_ROWS, height - _LINES_AROUND))
        shown = list(self._rows)[-room:]
        for each in shown:
            table.add_row(*_cells(each), style="dim" if each.kind is not EntryKind.NEW else "")
        for _ in range(room - len(shown)):
            table.add_row()
        return table

    def _foot(self) -> tuple[Text, ...]:
        lamps = _line()
        for run in self._runs.values():
            lamps.append("●", STATES[run.state_type])
        runs = _line(_counted(len(self._runs), "run"))
        standing = Counter(run.state_type for run in self._runs.values())
        for state_type in StateType:
            if standing[state_type]:
                runs.append(f"  {standing[state_type]} {state_type.lower()}", STATES[state_type])
        decisions = _line(_counted(self._verdicts.total(), "decision"))
        for verdict in Verdict:
            decisions.append(f"  {self._verdicts[verdict]} {verdict}", VERDICTS[verdict])
        return lamps, runs, decisions


def _line(start: str = "") -> Text:
    return Text(start, no_wrap=True, overflow="ellipsis")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _empty_table(*, wide: bool) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    gap = 2 if wide else 0
    table.add_column("time", width=5, justify="right", no_wrap=True)
    table.add_column("run", width=16 + gap, no_wrap=True)
    table.add_column("proposed", width=9 + 2 * gap, no_wrap=True)
    table.add_column("decided", width=7 + gap, no_wrap=True)
    table.add_column("written", width=13, no_wrap=True)
    table.add_column("code", width=13 + gap, no_wrap=True)
    table.add_column("reason", ratio=1, no_wrap=True)
    return table


def _cells(shown: Row) -> tuple[Text, ...]:
    return (
        Text(f"{shown.at:5.2f}", "bright_black"),
        Text(shown.run),
        Text(shown.proposed),
        Text(shown.verdict, f"bold {VERDICTS[shown.verdict]}"),
        Text(shown.written, STATES[shown.state]),
        Text(shown.code, VERDICTS[shown.verdict]),
        Text(shown.remark, "bright_black"),
    )
