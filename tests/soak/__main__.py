"""A long life: an hour and more of steady load, with faults now and then.

Starts servers and consumers of its own, measures the consumers, draws a picture, and exits with 0
if everything was flat, with 1 if not, with 2 if called wrongly. Ctrl-C ends the load early; what
was measured by then is judged and drawn all the same. A second Ctrl-C does not wait for that.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from consumer.logs import configure_logs
from consumer.settings import LogFormat, LogLevel
from deploy.servers import NoServerFoundError, postgresql, rabbitmq
from tests.soak.picture import draw
from tests.soak.plan import Plan, Result
from tests.soak.report import summary, verdict
from tests.soak.soak import Servers, SoakError, soak
from tests.soak.verdict import Finding, judge

_NICE = 10
_OUT = Path("build", "soak")


def main(arguments: Sequence[str]) -> int:
    """Do a long run; the exit code."""
    plan = _plan(arguments)
    plan.out.mkdir(parents=True, exist_ok=True)
    os.nice(_NICE - min(_NICE, os.nice(0)))
    configure_logs(LogFormat.JSON, LogLevel.ERROR)
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it tells of every fault we make
    logging.getLogger("aio_pika").setLevel(logging.CRITICAL)
    result = Result()
    try:
        with rabbitmq() as broker, postgresql() as postgres:
            asyncio.run(_run(plan, Servers(broker, postgres), result))
    except (NoServerFoundError, SoakError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("ended before its last quiet moment\n")
    return report(plan, result)


def report(plan: Plan, result: Result) -> int:
    """Draw and tell what came of a run; the exit code."""
    if result.evidence is None:
        findings = [Finding("the run", "ended before its end", "a last quiet moment", holds=False)]
    else:
        findings = judge(result.evidence)
    draw(result.samples, result.faults, plan.picture)
    told = f"{summary(plan, result, findings)}\n\n{verdict(findings)}\n"
    plan.summary.write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    return 1 if any(finding.holds is False for finding in findings) else 0


async def _run(plan: Plan, servers: Servers, result: Result) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(soak(plan, servers, stop, result))

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            running.cancel()
        else:
            sys.stderr.write(f"{number.name}: the load ends; once more gives the rest up\n")
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    await running


def _plan(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=_positive, default=60.0, help="of load (default: 60)")
    parser.add_argument("--rate", type=_positive, default=100.0, help="requests a second")
    parser.add_argument("--seed", type=int, default=1, help="for the load and the faults' choices")
    parser.add_argument("--out", type=Path, default=_OUT, help=f"folder (default: {_OUT})")
    parser.add_argument(
        "--faults-every", type=float, default=180.0, help="seconds; 0: none (default: 180)"
    )
    parser.add_argument("--samples-every", type=_positive, default=5.0, help="seconds (default: 5)")
    options = parser.parse_args(arguments)
    return Plan(
        seconds=options.minutes * 60,
        rate=options.rate,
        seed=options.seed,
        out=options.out,
        seconds_between_faults=options.faults_every,
        seconds_between_samples=options.samples_every,
    )


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
