"""Replays the traces of a file and tells how many steps were equal, and the first differences.

Exits with 0 if all were equal, with 1 if not or if the file can't be replayed, with 2 if called
wrongly.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from tests.conformance.backends import BACKENDS
from tests.conformance.replay import Report, replay
from tests.conformance.traces import Trace, read_traces

_SHOWN = 10


def main(arguments: Sequence[str]) -> int:
    """Replay the file that the arguments name; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("file", type=Path, help="traces, one JSON object a line")
    parser.add_argument("--backend", choices=sorted(BACKENDS), default="memory")
    options = parser.parse_args(arguments)
    try:
        traces = list(read_traces(options.file))
    except (OSError, ValidationError) as error:
        sys.stderr.write(f"{options.file} can't be replayed: {error}\n")
        return 1
    report = asyncio.run(_replay(traces, options.backend))
    for difference in report.different[:_SHOWN]:
        sys.stdout.write(f"{difference}\n")
    sys.stdout.write(
        f"{report.equal} of {report.steps} steps equal, in {report.traces} traces,"
        f" over {options.backend}\n"
    )
    return 0 if report.steps and not report.different else 1


async def _replay(traces: Sequence[Trace], name: str) -> Report:
    async with BACKENDS[name]() as backend:
        return await replay(traces, backend)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
