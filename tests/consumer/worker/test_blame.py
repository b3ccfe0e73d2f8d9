"""What says nothing about a message is never counted against it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from consumer.wire.requests import Reading
from consumer.worker.setbacks import Setbacks
from persistence.database import Database
from persistence.errors import DatabaseUnreachable
from rules.identifiers import uuid7
from tests.consumer.worker.governors import Bench, decided, governing, migrated, reading, verdicts
from tests.consumer.worker.trouble import FailsAfter, Hangs, SaysTheUnsayable, policy_with


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


async def test_a_redelivered_message_that_goes_round_each_time_has_not_ended_the_process(
    url: str,
) -> None:
    run_id = uuid7()
    message = reading(proposal("RUNNING", run_id))
    async with governing(url, policy_with(FailsAfter, run_id), max_failures=10) as bench:
        outcomes = [await bench.governor.govern_alone(message) for _ in range(5)]
    assert verdicts([outcome for [outcome] in outcomes]) == [None] * 5


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


async def test_redelivered_messages_are_suspected_only_when_they_come_after_that_again(
    url: str,
) -> None:
    batch = [again(reading(proposal("RUNNING", uuid7()), f"r-{each}")) for each in range(3)]
    async with governing(url) as bench:
        assert await bench.governor.suspects(batch) == frozenset()
        await bench.govern(*batch)
        assert await bench.governor.suspects(batch) == {(f"r-{each}", 0) for each in range(3)}
        assert (
            await bench.governor.suspects([reading(proposal("RUNNING", uuid7()), "r-0")]) == set()
        )


async def test_redelivered_messages_that_are_interrupted_together_are_not_suspected(
    url: str,
) -> None:
    batch = [again(reading(proposal("RUNNING", uuid7()), f"r-{each}")) for each in range(3)]
    async with governing(url) as bench, another_user(url) as other:
        lock = other.transaction()
        await lock.start()
        await other.execute("LOCK TABLE run_state")
        governing_it = asyncio.create_task(bench.govern(*batch))
        await asyncio.wait({governing_it}, timeout=0.5)
        governing_it.cancel()
        with pytest.raises(asyncio.CancelledError):
            await governing_it
        await lock.rollback()
        assert await bench.governor.suspects(batch) == frozenset()
        assert verdicts(await bench.govern(*batch)) == ["accept"] * 3


async def test_a_count_whose_commit_was_not_answered_is_counted_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [again(reading(proposal("RUNNING", uuid7())))]
    async with governing(url) as bench:
        with monkeypatch.context() as patch:
            patch.setattr(Setbacks, "_take_back", never)  # as if the process ended
            await interrupted_when_counted(bench.governor.govern(batch), patch)
        assert await bench.governor.suspects(batch) == {("r-1", 0)}
        Commits(hangs=False).take_over(monkeypatch)
        [outcome] = await bench.governor.govern_alone(batch[0])
    assert decided(outcome)["decision"] == "accept"


async def test_a_message_that_is_interrupted_while_that_it_is_begun_is_counted_is_not_suspected(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [again(reading(proposal("RUNNING", uuid7())))]
    async with governing(url) as bench:
        for govern in (bench.governor.govern(batch), bench.governor.govern_alone(batch[0])):
            with monkeypatch.context() as patch:
                await interrupted_when_counted(govern, patch)
            assert await bench.governor.suspects(batch) == frozenset()
        assert verdicts(await bench.govern(*batch)) == ["accept"]


@dataclass(slots=True)
class Commits:
    """The first commit is done, but its answer does not come: it hangs, or the connection goes."""

    hangs: bool
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _writing: Any = Database.writing

    def take_over(self, patch: pytest.MonkeyPatch) -> None:
        @asynccontextmanager
        async def writing(database: Database) -> AsyncIterator[AsyncConnection]:
            async with self._writing(database) as connection:
                yield connection
            if not self.done.is_set():
                self.done.set()
                if self.hangs:
                    await asyncio.Event().wait()
                raise DatabaseUnreachable("database", "gone")

        patch.setattr(Database, "writing", writing)


async def interrupted_when_counted(
    govern: Coroutine[Any, Any, object], patch: pytest.MonkeyPatch
) -> None:
    """Give a batch up when its count is committed and that was not heard of."""
    commits = Commits(hangs=True)
    commits.take_over(patch)
    governing_it = asyncio.create_task(govern)
    await commits.done.wait()
    governing_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await governing_it


async def never(*_: object) -> None:
    raise DatabaseUnreachable("database", "gone")


def again(message: Reading) -> Reading:
    """The message as it comes when it was delivered before."""
    delivery = replace(message.envelope.delivery, redelivered=True)
    return replace(message, envelope=replace(message.envelope, delivery=delivery))
