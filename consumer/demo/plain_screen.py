"""Decisions as plain lines, one each, for files and pipes."""

from types import TracebackType
from typing import Self

from rich.console import Console

from consumer.demo.journal import Entry
from consumer.demo.rows import row


class PlainScreen:
    """Prints a line for each decision, none of it cut."""

    def __init__(self, console: Console, headline: str) -> None:
        self._console = console
        self._headline = headline

    def __enter__(self) -> Self:
        self._print(self._headline)
        self._print(_line("time", "run", "proposed", "decision", "written", "code", "remark"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left to be done."""

    def show(self, entry: Entry) -> None:
        """Print the decision's line."""
        shown = row(entry)
        cells = (shown.run, shown.proposed, shown.verdict, shown.written, shown.code, shown.remark)
        self._print(_line(f"{shown.at:.2f}", *cells))

    def refresh(self) -> None:
        """Nothing moves here."""

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _line(at: str, *cells: str) -> str:
    run, proposed, verdict, written, code, remark = cells
    return (
        f"{at:>6}  {run:<16}  {proposed:<13}  {verdict:<8}  {written:<13}  {code:<16}  {remark}"
    ).rstrip()
