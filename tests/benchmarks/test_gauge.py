"""What a process takes is told with what its children take."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.gauge import gauged

_BUSY = """
import subprocess, sys, time
child = "import time\\nbegan = time.process_time()\\nwhile time.process_time() < began + 0.2: pass"
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", child], check=True)
    print("done", flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """Does nothing, until it is told to have a child that works for a while."""
    with subprocess.Popen(
        [sys.executable, "-c", _BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        yield started
        started.kill()


async def test_time_of_children_that_have_ended_counts(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    async with gauged(process.pid) as usage:
        process.stdin.write("work\n")
        process.stdin.flush()
        process.stdout.readline()

    assert usage.cpu_seconds >= 0.2


async def test_memory_is_seen_however_short_the_block_is(process: subprocess.Popen[str]) -> None:
    async with gauged(process.pid) as usage:
        pass

    assert usage.peak_bytes > 1_000_000


async def test_who_is_gone_can_not_be_gauged(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()

    with pytest.raises(psutil.NoSuchProcess):
        async with gauged(process.pid):
            pass
