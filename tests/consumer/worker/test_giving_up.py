"""Batches that are given up wherever they stand, as when the broker is lost, hold nobody up."""

import asyncio

import pytest

from rules.identifiers import uuid7
from tests.consumer.worker.governors import governing, migrated, reading, verdicts

_MILLISECONDS = 60
"""Longer than a batch takes here."""


@pytest.fixture
def url(sqlite_url: str) -> str:
    return migrated(sqlite_url)


async def test_a_batch_that_is_given_up_gives_back_the_lock_of_a_sqlite_file(url: str) -> None:
    async with governing(url) as bench:
        for after in range(_MILLISECONDS):
            bodies = [
                {
                    "run": {"kind": "task", "id": str(uuid7())},
                    "create": {},
                    "state": {"type": "RUNNING"},
                }
                for _ in range(3)
            ]
            batch = [reading(body, f"{after}-{each}") for each, body in enumerate(bodies)]
            governing_it = asyncio.create_task(bench.govern(*batch))
            await asyncio.wait({governing_it}, timeout=after / 1_000)
            governing_it.cancel()
            await asyncio.wait({governing_it})
            async with asyncio.timeout(30):
                assert verdicts(await bench.govern(*batch)) == ["accept"] * 3
