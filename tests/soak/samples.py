"""Samples over time, in memory for the verdict and in a file for whoever wants to look closer."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from tests.soak import gauges
from tests.soak.database_gauge import TABLES
from tests.soak.gauges import Readings, of_consumer

AT: Final = "seconds"
_OF_CONSUMERS = (
    gauges.USS,
    gauges.RSS,
    gauges.HANDLES,
    gauges.PLAIN_HANDLES,
    gauges.THREADS,
    gauges.CPU_SECONDS,
    gauges.METRIC_SERIES,
    gauges.READY,
)
_SHARED = (
    gauges.CONNECTIONS,
    gauges.CHANNELS,
    gauges.SUBSCRIPTIONS,
    gauges.BROKER_MEMORY,
    gauges.REQUESTS_WAITING,
    gauges.LADDER_WAITING,
    gauges.LETTERS_WAITING,
    gauges.DECISIONS_WAITING,
    gauges.SESSIONS,
    gauges.DATABASE_BYTES,
    gauges.SENT,
    gauges.CONFIRMED,
    gauges.DECIDED,
    gauges.REPEATED,
    gauges.PENDING,
    gauges.P50,
    gauges.P99,
)


class Point(NamedTuple):
    """A value at a time, in seconds since the start."""

    at: float
    value: float


Series = Sequence[Point]


def columns(consumers: int) -> list[str]:
    """All columns of a file of samples, with so many consumers."""
    numbers = range(1, consumers + 1)
    own = [of_consumer(column, number) for number in numbers for column in _OF_CONSUMERS]
    return [AT, *own, *_SHARED, *(f"{gauges.ROWS}{table}" for table in TABLES)]


@dataclass(slots=True)
class Samples:
    """All samples; not every one has a value in every column."""

    rows: list[dict[str, float]] = field(default_factory=list)

    def series(self, column: str) -> list[Point]:
        """The values of a column that there are."""
        return [Point(row[AT], row[column]) for row in self.rows if column in row]


class SampleFile:
    """A CSV that is complete at any moment."""

    def __init__(self, file: TextIO, consumers: int) -> None:
        self._file = file
        self._writer = csv.DictWriter(file, columns(consumers))
        self._writer.writeheader()

    def write(self, row: Readings) -> None:
        """Add a row."""
        self._writer.writerow({name: _short(value) for name, value in row.items()})
        self._file.flush()


def read_samples(path: Path) -> Samples:
    """The samples of a file."""
    with path.open(newline="") as file:
        return Samples(
            [
                {name: float(value) for name, value in row.items() if value}
                for row in csv.DictReader(file)
            ]
        )


def _short(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
