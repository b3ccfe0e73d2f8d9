"""Pointsman beside Prefect's orchestration engine: the same transitions on the same PostgreSQL.

Task runs of a flow run go through PENDING, RUNNING and COMPLETED by the Core policy: by Prefect's
engine called in-process, by Prefect's HTTP server, and by one consumer of Pointsman's, which also
makes the runs that Prefect has before it is measured. CPU time and memory are those of what
governs, not of clients, PostgreSQL or RabbitMQ. Figures hold for this machine and these minutes
only: read the ratios.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import strftime

from rich.console import Console

from benchmarks.prefect.contest import Sizes, contenders, in_rounds, own_site
from benchmarks.prefect.environment import prefect_version, require_prefect
from benchmarks.prefect.errors import ComparisonError
from benchmarks.prefect.figures import Contender, Reading, in_order, ratios, summarise
from benchmarks.prefect.report import as_json, show
from deploy.servers import NoServerFoundError

_OUT = Path("build", "bench", "prefect.json")


def main(arguments: Sequence[str]) -> int:
    """Measure, print and save; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prefect", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--out", type=Path, default=_OUT, help=f"file (default: {_OUT})")
    options = parser.parse_args(arguments)
    try:
        require_prefect()
        readings = asyncio.run(_measure(Sizes(), options.rounds))
    except (ComparisonError, NoServerFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    tell(readings, options.rounds, options.out)
    return 0


def tell(readings: Mapping[Contender, Sequence[Reading]], rounds: int, out: Path) -> None:
    """Print the tables, and save the figures with what they were measured on."""
    version = prefect_version()
    summaries = {contender: summarise(readings[contender]) for contender in in_order(readings)}
    compared = list(ratios(summaries))
    heading = (
        f"Prefect {version} and Pointsman, 3 transitions a task run, medians of {rounds} rounds"
    )
    show(summaries, compared, heading, Console(highlight=False))
    measured_on = {
        "at": strftime("%Y-%m-%dT%H:%M:%S%z"),
        "prefect": version,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cpus": os.cpu_count(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    document = measured_on | as_json(readings, summaries, compared)
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


async def _measure(sizes: Sizes, rounds: int) -> Mapping[Contender, Sequence[Reading]]:
    with own_site() as site:
        async with contenders(site, sizes) as measures:
            return await in_rounds(measures, rounds, _report_progress)


def _report_progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
