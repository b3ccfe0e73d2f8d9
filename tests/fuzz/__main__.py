"""Sends mutated messages all the way that a message goes, and tells how they ended.

Exits with 0 if every one ended as a decision or a dead letter, with 1 if one did something else;
its batch is then on file, to be sent again with ``--replay``. The same seed makes the same
messages.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random, SystemRandom

from consumer.logs import configure_logs
from consumer.settings import LogFormat, LogLevel
from tests.fuzz.messages import Message, random_message
from tests.fuzz.road import EscapedError, open_road
from tests.fuzz.saving import load, save

_BATCH = 64
_SAVED = Path("build", "fuzz")


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--replay", type=Path, help="send what was saved instead")
    parser.add_argument("--save", type=Path, default=_SAVED, help="where to put what escapes")
    parser.add_argument("--database", help="URL of an empty database (default: a SQLite file)")
    options = parser.parse_args(arguments)
    configure_logs(LogFormat.JSON, LogLevel.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite+aiosqlite:///{folder}/fuzz.db"
        try:
            asyncio.run(_fuzz(url, options))
        except EscapedError as escaped:
            path = options.save / f"seed-{options.seed}.jsonl"
            save(escaped.messages, path)
            traceback.print_exception(escaped)
            sys.stderr.write(f"python -m tests.fuzz --replay {path}\n")
            return 1
    return 0


async def _fuzz(url: str, options: argparse.Namespace) -> None:
    sent, since = 0, time.monotonic()
    async with open_road(url, Random(options.seed)) as road:  # noqa: S311 - repeatable
        try:
            for batch in _batches(options):
                await road.travel(batch)
                sent += len(batch)
        finally:
            rate = sent / (time.monotonic() - since)
            sys.stdout.write(f"seed {options.seed}: {sent} messages, {rate:.0f}/s\n")
            _print("ended as", road.ends)
            _print("could not be read because", road.reasons)


def _batches(options: argparse.Namespace) -> Iterator[list[Message]]:
    if options.replay is not None:
        yield load(options.replay)
        return
    for start in range(0, options.messages, _BATCH):
        end = min(start + _BATCH, options.messages)
        yield [
            random_message(Random(f"{options.seed}/{number}"))  # noqa: S311 - repeatable
            for number in range(start, end)
        ]


def _print(title: str, counted: Counter[str]) -> None:
    sys.stdout.write(f"\n{title}\n")
    for what, count in counted.most_common():
        sys.stdout.write(f"{count:>9}  {what}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
