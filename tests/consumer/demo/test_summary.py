from io import StringIO

from rich.console import Console

from consumer.demo.plans import ACCEPT, Answer
from consumer.demo.summary import summary
from consumer.demo.tally import Delay, Figures
from consumer.wire.decisions import Verdict

FIGURES = Figures(
    sent=210,
    decisions=205,
    announcements=6,
    duplicates=1,
    letters=1,
    answers=((ACCEPT, 160), (Answer(Verdict.ABORT, "kind-mismatch"), 45)),
    ends=(("Completed", 50), ("Cancelled", 4)),
    median_seconds=0.0123,
    longest_delay=Delay(asked=3, kept=3.014),
)


def lines(figures: Figures) -> list[str]:
    console = Console(file=StringIO(), width=80)
    console.print(summary(figures))
    assert isinstance(console.file, StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_every_figure_is_told_within_eighty_columns() -> None:
    told = "\n".join(lines(FIGURES))

    for figure in (
        "accept 160",
        "abort kind-mismatch 45",
        "Completed 50",
        "requests sent 210",
        "decisions received 205",
        "dead letters 1",
        "median 12 ms",
        "longest delay kept 3.01 s",
    ):
        assert figure in told


def test_what_was_not_seen_has_no_figure() -> None:
    nothing = Figures(
        sent=0,
        decisions=0,
        announcements=0,
        duplicates=0,
        letters=0,
        answers=(),
        ends=(),
        median_seconds=None,
        longest_delay=None,
    )

    assert "longest delay kept -" in "\n".join(lines(nothing))
