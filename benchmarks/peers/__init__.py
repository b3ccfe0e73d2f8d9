"""Pointsman beside what one would otherwise do, on the same requests, queues and confirms.

All contenders consume the same partitions (quorum queues with a single active consumer), and
publish one decision a request to the decisions exchange, with a publisher confirm, before they
acknowledge.
They take turns, each on a virtual host and a database of its own on the same two servers.
"""

import asyncio
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.peers.comparing import medians, rounds, targets
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.peers.measuring import Measured, Size
from benchmarks.peers.reporting import draw, table, target_table, values
from benchmarks.results import FOLDER, save
from benchmarks.world import own_servers

ROUNDS = 5


def main(size: Size | None = None, number: int = ROUNDS, folder: Path = FOLDER) -> None:
    """Print a table, and what is to be reached; save both, and a picture."""
    asyncio.run(_compare(size or Size(), number, folder))


async def _compare(size: Size, number: int, folder: Path) -> None:
    console = Console()
    seen: dict[str, list[Measured]] = {each.name: [] for each in CONTENDERS}
    with own_servers() as servers, tempfile.TemporaryDirectory() as files:
        async for count, contender, one in rounds(servers, Path(files), size, number):
            seen[contender.name].append(one)
            rate = f"{one.per_second:,.0f} transitions/s"
            console.print(f"round {count + 1} of {number}: {contender.title}, {rate}")
    found = {name: medians(each) for name, each in seen.items()}
    reached = targets(found)
    console.print(table(found), target_table(reached))
    draw(found, folder / "peers.png")
    path = save("peers", values(found, seen, reached), folder)
    console.print(f"Medians of {number} rounds; all of it is in {path}")
