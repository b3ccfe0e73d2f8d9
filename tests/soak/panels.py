"""What the picture shows, panel by panel, taken from the samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.soak import gauges
from tests.soak.gauges import of_consumer
from tests.soak.plan import CONSUMERS
from tests.soak.samples import Point, Samples, Series

_MIB = 2**20
_THOUSAND = 1_000
_PERCENT = 100
_NUMBERS = range(1, CONSUMERS + 1)
_ROWS = ("decision", "run_state", "run", "artifact", "dead_letter", "begun")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel."""

    label: str
    points: Series
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the small multiples; ``scale`` is one of matplotlib's."""

    title: str
    lines: Callable[[Samples], Sequence[Line]]
    scale: str = "linear"


def _each_consumer(
    samples: Samples, column: str, label: str = "consumer", divisor: float = 1, **how: bool
) -> list[Line]:
    return [
        Line(
            f"{label} {number}",
            _divided(samples.series(of_consumer(column, number)), divisor),
            **how,
        )
        for number in _NUMBERS
    ]


def _columns(
    samples: Samples, columns: Sequence[tuple[str, str]], divisor: float = 1
) -> list[Line]:
    return [Line(label, _divided(samples.series(column), divisor)) for column, label in columns]


def _divided(series: Series, divisor: float) -> list[Point]:
    return [Point(point.at, point.value / divisor) for point in series]


def rate(series: Series) -> list[Point]:
    """How fast a count grew from each sample to the next, per second."""
    return [
        Point(later.at, (later.value - earlier.value) / (later.at - earlier.at))
        for earlier, later in pairwise(series)
        if later.at > earlier.at
    ]


def _memory(samples: Samples) -> list[Line]:
    return [
        *_each_consumer(samples, gauges.USS, divisor=_MIB),
        *_each_consumer(samples, gauges.RSS, "with shared pages,", _MIB, dashed=True),
    ]


def _handles(samples: Samples) -> list[Line]:
    return [
        *_each_consumer(samples, gauges.HANDLES),
        *_each_consumer(samples, gauges.THREADS, "threads of consumer", dashed=True),
    ]


def _processor(samples: Samples) -> list[Line]:
    return [
        Line(line.label, _divided(rate(line.points), 1 / _PERCENT))
        for line in _each_consumer(samples, gauges.CPU_SECONDS)
    ]


def _pace(samples: Samples) -> list[Line]:
    return [
        Line("sent", rate(samples.series(gauges.SENT))),
        Line("decided", rate(samples.series(gauges.DECIDED))),
    ]


PANELS = (
    Panel("Memory of the consumers' own (USS), MiB", _memory),
    Panel("File handles and threads", _handles),
    Panel(
        "On the broker, both consumers",
        lambda samples: _columns(
            samples, ((gauges.CONNECTIONS, "connections"), (gauges.CHANNELS, "channels"))
        ),
    ),
    Panel(
        "Sessions on the database, both consumers",
        lambda samples: _columns(samples, ((gauges.SESSIONS, "sessions"),)),
    ),
    Panel(
        "Messages in the queues",
        lambda samples: _columns(
            samples,
            (
                (gauges.REQUESTS_WAITING, "partitions"),
                (gauges.LADDER_WAITING, "ladder of delays"),
                (gauges.LETTERS_WAITING, "dead letters"),
                (gauges.DECISIONS_WAITING, "subscriber"),
            ),
        ),
        "symlog",
    ),
    Panel("Requests a second", _pace, "symlog"),
    Panel(
        "From request to decision, seconds",
        lambda samples: _columns(
            samples, ((gauges.P50, "median"), (gauges.P99, "99th percentile"))
        ),
        "log",
    ),
    Panel("Processor time of the consumers, % of a core", _processor),
    Panel(
        "The servers, MiB",
        lambda samples: _columns(
            samples,
            ((gauges.BROKER_MEMORY, "the broker's memory"), (gauges.DATABASE_BYTES, "database")),
            _MIB,
        ),
    ),
    Panel(
        "Rows, thousands",
        lambda samples: _columns(
            samples, [(f"{gauges.ROWS}{table}", table) for table in _ROWS], _THOUSAND
        ),
    ),
)
"""Two of them stand side by side."""
