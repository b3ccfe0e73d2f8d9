"""The recorded traces, step by step and field by field."""

from pathlib import Path

import pytest

from tests.conformance.backends import BACKENDS
from tests.conformance.replay import replay
from tests.conformance.traces import read_traces

RECORDED = Path(__file__).with_name("orion-core-policy.jsonl")


@pytest.mark.parametrize("name", sorted(BACKENDS))
async def test_every_recorded_step_comes_out_as_in_the_reference(name: str) -> None:
    async with BACKENDS[name]() as backend:
        report = await replay(read_traces(RECORDED), backend)

    assert report.different == []
    assert (report.traces, report.steps) == (200, 1956)
