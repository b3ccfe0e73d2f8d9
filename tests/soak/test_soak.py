"""Short lives, which prove that a long one would be measured."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import pytest

from deploy.servers import PostgresServer, RabbitServer
from tests.soak.gauges import DECIDED
from tests.soak.plan import Plan, Result
from tests.soak.report import log_events, summary, verdict
from tests.soak.samples import Point, read_samples
from tests.soak.soak import Servers, soak
from tests.soak.verdict import judge

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]


async def test_a_short_life_with_one_fault_is_flat(
    own_broker: Callable[[], RabbitServer],
    own_postgres: Callable[[], PostgresServer],
    tmp_path: Path,
) -> None:
    servers = Servers(await asyncio.to_thread(own_broker), await asyncio.to_thread(own_postgres))
    plan = Plan(
        seconds=15,
        rate=40,
        seed=1,
        seconds_between_faults=7,
        out=tmp_path,
        warm_up_seconds=5,
        seconds_between_samples=1,
    )
    result = Result()
    await soak(plan, servers, asyncio.Event(), result)

    assert result.evidence is not None
    findings = judge(result.evidence)
    told = summary(plan, result, findings)
    assert verdict(findings) == "flat: everything held", told
    assert [(fault.name, fault.error) for fault in result.faults] == [("connections closed", None)]
    assert min(result.totals[f"decisions: {kind}"] for kind in ("accept", "delay", "abort")) > 0
    assert len(read_samples(plan.sample_file).rows) == len(result.samples.rows)
    for number in (1, 2):
        assert log_events(plan.out / f"consumer-{number}.log")["warning broker-away"] >= 1


def test_ctrl_c_ends_a_life_early_and_it_is_judged_and_drawn(tmp_path: Path) -> None:
    arguments = ("--minutes", "60", "--rate", "20", "--samples-every", "1", "--out", str(tmp_path))
    command = (sys.executable, "-m", "tests.soak", *arguments)
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=PIPE) as process:
        try:
            until_something_is_decided(process, tmp_path / "samples.csv")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 0, out + err
    assert out.decode().endswith("flat: everything held\n")
    assert (tmp_path / "summary.txt").read_bytes() == out
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")


def until_something_is_decided(process: subprocess.Popen[bytes], samples: Path) -> None:
    decided: list[Point] = []
    while not any(point.value for point in decided):
        assert process.poll() is None
        time.sleep(0.1)
        if samples.exists():
            decided = read_samples(samples).series(DECIDED)
