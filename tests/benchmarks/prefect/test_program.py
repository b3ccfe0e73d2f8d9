"""A program is given orders and measured from outside, again and again."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.gauge import Usage
from benchmarks.prefect.errors import ProgramEndedError
from benchmarks.prefect.program import reading, started

_PYTHON = Path(sys.executable)
_STAND_IN = "tests.benchmarks.prefect.stand_in"


async def test_an_order_is_carried_out_and_measured() -> None:
    async with started(_PYTHON, [_STAND_IN], os.environ) as program:
        for runs in (4, 1_000):
            measured = await program.measure(runs, clients=2)

            assert len(measured.latencies) == 3 * runs
            assert measured.per_second > 0
            assert measured.peak_mb > 1


async def test_another_process_can_be_what_is_gauged() -> None:
    async with (
        started(_PYTHON, [_STAND_IN], os.environ) as program,
        started(_PYTHON, [_STAND_IN], os.environ) as idle,
    ):
        await idle.measure(1, clients=1)  # by then it has started
        measured = await program.measure(1_000, clients=1, gauge=idle.pid)

    assert measured.cpu_ms == 0


async def test_a_program_that_gives_up_is_no_result() -> None:
    async with started(_PYTHON, [_STAND_IN, "RUNNING"], os.environ) as program:
        with pytest.raises(ProgramEndedError, match="stand_in ended with exit code 3"):
            await program.measure(1, clients=1)


def test_a_reading_is_of_as_many_transitions_as_there_are_latencies() -> None:
    measured = reading([0.1, 0.2, 0.3, 0.4], 2.0, Usage(cpu_seconds=0.02, peak_bytes=190_000_000))

    assert (measured.per_second, measured.cpu_ms, measured.peak_mb) == (2.0, 5.0, 190.0)
