"""Where the time of a request goes that comes alone: step by step, on the clock and of CPU."""

import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.peers.contenders import Contender, at_work
from benchmarks.peers.load import STEPS, audience, in_a_window, requests
from benchmarks.results import FOLDER, save
from benchmarks.stopwatch import Lap
from benchmarks.world import own_servers

RUNS = 500
_WARM_UP_RUNS = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """Medians in milliseconds: from publish to decision, and what each step takes of it.

    ``steps`` are on the clock and of CPU, by proposed state: a new run has more to do.
    """

    whole: Mapping[str, float]
    steps: Mapping[str, Mapping[str, Lap]]


async def measure(runs: int, files: Path) -> Seen:
    """Send requests one at a time, each when the one before is decided."""
    timed = files / "batches.json"
    contender = Contender("stopwatch", "Pointsman", ("benchmarks.stopwatch", str(timed)))
    whole: dict[str, float] = {}
    with own_servers() as servers:
        place = await contender.place(servers, files)
        async with audience(place.amqp_url) as present, at_work(contender, place) as process:
            await in_a_window(present, list(requests(_WARM_UP_RUNS)), 1)
            messages = list(requests(runs))
            for number, state in enumerate(STEPS):
                present.take_delays()
                await in_a_window(present, messages[number * runs :][:runs], 1)
                whole[state] = median(present.take_delays()) * 1_000
            process.terminate()
            await process.wait()
    batches = json.loads(timed.read_text())[-len(messages) :]
    return Seen(
        whole=whole,
        steps={
            state: _medians(batches[number * runs :][:runs]) for number, state in enumerate(STEPS)
        },
    )


def _medians(batches: Sequence[Mapping[str, Lap]]) -> Mapping[str, Lap]:
    laps: dict[str, list[Lap]] = defaultdict(list)
    for batch in batches:
        for step, lap in batch.items():
            laps[step].append(lap)
    return {
        step: (median(lap[0] for lap in each) * 1_000, median(lap[1] for lap in each) * 1_000)
        for step, each in laps.items()
    }


def table(seen: Seen) -> Table:
    """A row a step, two columns a state; at last the sums, and what the producer sees."""
    made = Table("step", box=None)
    for state in seen.whole:
        made.add_column(f"{state}, ms", justify="right")
        made.add_column("of it CPU", justify="right")
    names = dict.fromkeys(step for laps in seen.steps.values() for step in laps)
    for name in names:
        made.add_row(name, *_cells(laps.get(name) for laps in seen.steps.values()))
    sums = (
        (sum(lap[0] for lap in laps.values()), sum(lap[1] for lap in laps.values()))
        for laps in seen.steps.values()
    )
    made.add_row("all these steps", *_cells(sums))
    made.add_row("from publish to decision", *_cells((ms, None) for ms in seen.whole.values()))
    return made


def _cells(laps: Iterable[tuple[float, float | None] | None]) -> Iterator[str]:
    for lap in laps:
        for value in lap or (None, None):
            yield "" if value is None else f"{value:.2f}"


def main(runs: int = RUNS, folder: Path = FOLDER) -> None:
    """Print what was found, and save it."""
    with tempfile.TemporaryDirectory() as files:
        seen = asyncio.run(measure(runs, Path(files)))
    console = Console(width=120)
    console.print("Requests that come one at a time: medians of what each step takes")
    console.print(table(seen))
    save("latency", {"milliseconds": seen.whole, "steps": seen.steps}, folder)
