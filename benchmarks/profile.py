"""Where a consumer's CPU time goes, in microseconds for each transition, part by part."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.gauge import gauged
from benchmarks.peers.contenders import Contender, at_work
from benchmarks.peers.load import audience, requests
from benchmarks.results import FOLDER, save
from benchmarks.world import own_servers

RUNS = 6_000


async def measure(runs: int, files: Path) -> Mapping[str, float]:
    """Microseconds by part, from the first decision to the last, of a consumer on PostgreSQL."""
    counted = files / "samples.json"
    contender = Contender("profiled", "Pointsman", ("benchmarks.sampler", str(counted)))
    full = list(requests(runs))
    with own_servers() as servers:
        place = await contender.place(servers, files)
        async with audience(place.amqp_url) as present:
            await present.store(full)
            async with at_work(contender, place) as process:
                await present.hear_some(1)
                async with gauged(process.pid) as used:
                    await present.hear(len(full) - 1)
                process.terminate()
                await process.wait()
    samples = json.loads(counted.read_text())
    each = used.cpu_seconds / (len(full) - 1) * 1e6 / sum(samples.values())
    return {part: number * each for part, number in samples.items()}


def table(found: Mapping[str, float]) -> Table:
    """The parts, the longest first."""
    made = Table("part", "µs each", "share", box=None)
    total = sum(found.values())
    for column in made.columns[1:]:
        column.justify = "right"
    for part, spent in sorted(found.items(), key=lambda item: -item[1]):
        made.add_row(part, f"{spent:.0f}", f"{spent / total:.0%}")
    made.add_row("all", f"{total:.0f}", "")
    return made


def main(runs: int = RUNS, folder: Path = FOLDER) -> None:
    """Print what was found, and save it."""
    with tempfile.TemporaryDirectory() as files:
        found = asyncio.run(measure(runs, Path(files)))
    console = Console()
    console.print("CPU time of a consumer for each transition, sampled every millisecond of it")
    console.print(table(found))
    save("profile", {"microseconds": found}, folder)
