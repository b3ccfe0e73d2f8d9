"""What says nothing about a message is never counted against it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url

from rules.identifiers import uuid7
from tests.consumer.worker.governors import Bench, decided, governing, migrated, reading, verdicts
from tests.consumer.worker.trouble import Hangs, SaysTheUnsayable, policy_with


@pytest.fixture
def url(postgres_url: str) -> str:
    return migrated(postgres_url)


def proposal(state: str, run_id: UUID) -> dict[str, Any]:
    return {
        "run": {"kind": "task", "id": str(run_id)},
        "create": {},
        "state": {"type": state, "data": 1},
    }


@asynccontextmanager
async def another_user(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection beside Pointsman's."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    yield connection
    await connection.close()


async def test_a_table_that_is_missing_is_waited_for(url: str) -> None:
    async with governing(url) as bench, another_user(url) as other:
        await other.execute("ALTER TABLE artifact RENAME TO away")
        batch = [reading(proposal("RUNNING", uuid7()), f"r-{each}") for each in range(3)]
        governing_it = asyncio.create_task(bench.govern(*batch))
        await asyncio.wait({governing_it}, timeout=0.5)
        assert not governing_it.done()
        await other.execute("ALTER TABLE away RENAME TO artifact")
        assert verdicts(await governing_it) == ["accept", "accept", "accept"]


async def test_a_column_that_a_migration_changes_meanwhile_costs_no_decision(url: str) -> None:
    async with governing(url) as bench, another_user(url) as other:
        run_id = uuid7()
        await bench.govern(reading(proposal("PENDING", run_id), "before"))
        await other.execute("ALTER TABLE run ALTER retries TYPE bigint")
        [after] = await bench.govern(reading(proposal("RUNNING", run_id), "after"))
    assert decided(after)["decision"] == "accept"


async def test_a_database_that_is_slower_than_a_batch_may_be_is_waited_for(url: str) -> None:
    async with governing(url, seconds=0.3) as bench, another_user(url) as other:
        run_id = uuid7()
        await bench.govern(reading(proposal("PENDING", run_id), "before"))
        lock = other.transaction()
        await lock.start()
        await other.execute("SELECT 1 FROM run FOR UPDATE")
        governing_it = asyncio.create_task(bench.govern(reading(proposal("RUNNING", run_id))))
        await asyncio.wait({governing_it}, timeout=1.5)
        assert not governing_it.done()
        await lock.rollback()
        [outcome] = await governing_it
    assert decided(outcome)["decision"] == "accept"


async def test_a_redelivered_message_that_is_interrupted_is_not_condemned(url: str) -> None:
    run_id = uuid7()
    message = reading(proposal("RUNNING", run_id))
    async with governing(url) as bench, another_user(url) as other:
        await bench.govern(reading(proposal("PENDING", run_id), "before"))
        lock = other.transaction()
        await lock.start()
        await other.execute("SELECT 1 FROM run FOR UPDATE")
        for _ in range(4):
            await interrupted(bench, message)
        await lock.rollback()
        [outcome] = await bench.governor.govern_alone(message)
    assert decided(outcome)["decision"] == "accept"


async def interrupted(bench: Bench, message: Any) -> None:
    """Govern a message alone, and give it up as a consumer does that is told to stop."""
    alone = asyncio.create_task(bench.governor.govern_alone(message))
    await asyncio.wait({alone}, timeout=0.3)
    alone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alone


async def test_a_hook_that_takes_the_time_is_to_blame(url: str) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(Hangs, run_id), seconds=0.3, max_failures=0) as bench:
        [outcome] = await bench.govern(reading(proposal("RUNNING", run_id)))
    assert (decided(outcome)["decision"], decided(outcome)["code"]) == ("abort", "failed")


async def test_a_decision_that_can_not_be_written_down_leaves_no_state_behind(url: str) -> None:
    run_id = uuid7()
    policy = policy_with(SaysTheUnsayable, run_id)
    async with governing(url, policy, max_failures=0) as bench:
        before, bad = await bench.govern(
            reading(proposal("RUNNING", uuid7()), "before"),
            reading(proposal("PENDING", run_id), "bad"),
        )
    assert decided(before)["decision"] == "accept"
    assert (decided(bad)["decision"], decided(bad)["code"]) == ("abort", "failed")
    assert decided(bad)["run"]["version"] == 0
