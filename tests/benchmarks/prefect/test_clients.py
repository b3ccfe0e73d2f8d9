"""Clients share the runs among them, and each waits before it goes on."""

import asyncio

import pytest

from benchmarks.prefect.inside.clients import STEPS, take_through


async def test_every_run_goes_through_all_steps_in_order() -> None:
    proposed: dict[int, list[str]] = {}

    async def propose(run: int, step: str) -> None:
        await asyncio.sleep(0)
        proposed.setdefault(run, []).append(step)

    latencies = await take_through(range(5), clients=2, propose=propose)

    assert proposed == {run: list(STEPS) for run in range(5)}
    assert len(latencies) == 5 * len(STEPS)
    assert min(latencies) >= 0


async def test_as_many_proposals_are_under_way_as_there_are_clients() -> None:
    under_way, most = 0, 0

    async def propose(_run: int, _step: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await take_through(range(9), clients=3, propose=propose)

    assert most == 3


async def test_a_proposal_that_is_not_accepted_ends_it_all() -> None:
    async def propose(_run: int, step: str) -> None:
        if step == "RUNNING":
            raise RuntimeError("refused")

    with pytest.raises(ExceptionGroup) as raised:
        await take_through(range(2), clients=1, propose=propose)

    assert raised.group_contains(RuntimeError, match="refused")
