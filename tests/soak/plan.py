"""What a run is to be like, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.samples import Samples
from tests.soak.schedule import FaultSpan
from tests.soak.verdict import Evidence

CONSUMERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A steady load of ``rate`` requests a second for so many ``seconds`` between quiet moments.

    ``warm_up_seconds`` of the same load come before the first. A fault comes every
    ``seconds_between_faults``; 0 stands for no faults at all. ``out`` is the folder for all output.
    """

    seconds: float
    rate: float
    seed: int
    seconds_between_faults: float
    out: Path
    warm_up_seconds: float = 60.0
    seconds_between_samples: float = 5.0

    @property
    def sample_file(self) -> Path:
        """Where the samples go."""
        return self.out / "samples.csv"

    @property
    def picture(self) -> Path:
        """Where the picture goes."""
        return self.out / "soak.png"

    @property
    def summary(self) -> Path:
        """Where the summary goes, besides the standard output."""
        return self.out / "summary.txt"


@dataclass(slots=True)
class Result:
    """What came of a run, as far as it came."""

    samples: Samples = field(default_factory=Samples)
    faults: Sequence[FaultSpan] = ()
    totals: dict[str, int] = field(default_factory=dict)
    evidence: Evidence | None = None
