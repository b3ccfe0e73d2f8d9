"""Faults without end against servers of one's own: ``python -m tests.chaos --help``."""

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.servers import postgresql, rabbitmq
from tests.chaos.diary import Diary
from tests.chaos.faults.catalogue import CATALOGUE
from tests.chaos.faults.fault import Fault
from tests.chaos.saving import save
from tests.chaos.summary import Summary
from tests.chaos.trial import Plan, Result, Servers, trial


def main() -> int:
    """Run one trial; the exit code says whether all promises were kept."""
    options = _parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pointsman-chaos-"))
    plan = Plan(
        seed=options.seed,
        faults=options.faults,
        runs_per_second=options.rate,
        seconds=options.seconds,
    )
    for library in ("aio_pika", "aiormq"):  # they tell of every connection that is lost
        logging.getLogger(library).setLevel(logging.CRITICAL)
    diary = Diary(printing=True)
    diary.note(f"seed {plan.seed}; consumers' logs are in {folder}")
    try:
        with rabbitmq() as broker, postgresql(durable=False) as postgres:
            result = asyncio.run(_until_interrupted(Servers(broker, postgres, folder), plan, diary))
    except KeyboardInterrupt:
        diary.note("given up")
        return 130
    return _report(result, plan.seed, folder)


async def _until_interrupted(servers: Servers, plan: Plan, diary: Diary) -> Result:
    """Ctrl-C ends the faults, and what was done so far is checked; a second one ends all."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_interrupt() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        diary.note("interrupted; Ctrl-C again gives up")
        end.set()

    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    return await trial(servers, plan, diary, end)


def _report(result: Result, seed: int, folder: Path) -> int:
    struck = ", ".join(f"{count} {name}" for name, count in sorted(result.struck.items()))
    lines = [
        f"faults: {struck or 'none'}; {result.consumers_started} consumers started",
        str(Summary.of(result.history)),
        *result.findings,
    ]
    if result.findings:
        save(result.history, folder)
        lines += [
            f"{len(result.findings)} findings with seed {seed}; the history and the logs are in",
            str(folder),
        ]
    else:
        shutil.rmtree(folder)
        lines.append(f"all promises kept with seed {seed}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if result.findings else 0


def _faults(text: str) -> Sequence[Fault]:
    try:
        return [CATALOGUE[name] for name in text.split(",") if name]
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"no such fault: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long load and faults last")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--rate", type=float, default=4, help="runs started in a second")
    parser.add_argument(
        "--faults",
        type=_faults,
        default=list(CATALOGUE.values()),
        help=f"some of: {','.join(CATALOGUE)}; an empty list is none",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
