"""What is old is forgotten, but for what may be asked for again."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from persistence import pruning
from persistence.database import Database
from persistence.demands import Demand
from persistence.pruning import Forgotten, prune
from persistence.records import Forward
from persistence.schema import (
    BegunRow,
    CachedStateRow,
    DeadLetterRow,
    DecisionRow,
    LetterStatus,
    table_of,
)
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed
from tests.persistence.records import NOON, enter, make_runs, record_of

WEEK_AGO = NOON - timedelta(days=7)
OLD = WEEK_AGO - timedelta(seconds=1)
DELAYED: dict[str, Any] = {"decision": "delay", "forward": Forward.DELAY, "forwarded": True}
BURIED: dict[str, Any] = {"decision": "abort", "code": "rule-error", "forwarded": True}


async def record(database: Database, request_id: str, attempt: int = 0, **changes: Any) -> None:
    async with database.session() as session:
        session.record(record_of(None, request_id, attempt, **{"decided_at": OLD} | changes))


async def add_letter(database: Database, request_id: str | None, **changes: Any) -> None:
    row = {
        "id": uuid7(),
        "letter_id": str(uuid7()),
        "status": LetterStatus.REPLAYED,
        "reason": "rule-error",
        "request_id": request_id,
        "body": b"{}",
        "properties": {},
        "attempts": 1,
        "dead_at": OLD,
        "recorded_at": OLD,
        "closed_at": OLD,
        **changes,
    }
    async with database.writing() as connection:
        await connection.execute(insert(table_of(DeadLetterRow)), row)


async def requests(database: Database) -> list[str]:
    """The ids that are remembered."""
    decision = table_of(DecisionRow)
    async with database.reading() as connection:
        found = await connection.execute(select(decision.c.request_id).distinct())
        return sorted(found.scalars())


async def pruned(database: Database, **options: Any) -> Counter[Forgotten]:
    counted: Counter[Forgotten] = Counter()
    async for step in prune(database, WEEK_AGO, **options):
        counted[step.what] += step.count
    return counted


async def test_a_request_is_forgotten_when_its_last_decision_is_old(database: Database) -> None:
    await record(database, "old")
    await record(database, "old twice", 0, **DELAYED)
    await record(database, "old twice", 1)
    await record(database, "new", decided_at=WEEK_AGO)
    await record(database, "new again", 0, **DELAYED)
    await record(database, "new again", 1, decided_at=NOON)
    assert await pruned(database) == {Forgotten.REQUESTS: 2}
    assert await requests(database) == ["new", "new again"]


async def test_a_request_that_waits_is_remembered_however_old(database: Database) -> None:
    await record(database, "waits", **DELAYED)
    await record(database, "unconfirmed", **DELAYED | {"forwarded": False})
    await record(database, "returned", decision="delay")
    await record(
        database, "letter unconfirmed", **BURIED | {"forwarded": False}, forward="dead-letter"
    )
    await pruned(database)
    assert await requests(database) == ["letter unconfirmed", "unconfirmed", "waits"]


@pytest.mark.parametrize(
    ("status", "closed_at", "remembered"),
    [
        (LetterStatus.OPEN, None, True),
        (LetterStatus.REPLAYING, None, True),
        (LetterStatus.REPLAYED, NOON, True),
        (LetterStatus.REPLAYED, OLD, True),
        (LetterStatus.DISCARDED, OLD, False),
    ],
)
async def test_a_request_is_remembered_while_its_letter_is_looked_after(
    database: Database, status: LetterStatus, closed_at: Any, *, remembered: bool
) -> None:
    await record(database, "buried", forward=Forward.DEAD_LETTER, **BURIED)
    await add_letter(database, "buried", status=status, closed_at=closed_at)
    counted = await pruned(database)
    assert (await requests(database) == ["buried"]) is remembered
    assert (counted[Forgotten.DEAD_LETTERS] == 0) is remembered


async def test_a_replay_may_wait_in_its_queue_for_as_long_as_it_likes(database: Database) -> None:
    await record(database, "buried", forward=Forward.DEAD_LETTER, **BURIED)
    replayed = {"attempt": 0, "replay_request_id": "buried", "replay_attempt": 1}
    await add_letter(database, "buried", **replayed)
    await pruned(database)
    assert await requests(database) == ["buried"]
    await record(database, "buried", 1)
    assert await pruned(database) == {Forgotten.REQUESTS: 1, Forgotten.DEAD_LETTERS: 1}
    assert await requests(database) == []


async def test_what_was_begun_goes_with_the_request(database: Database) -> None:
    begun = table_of(BegunRow)
    rows = [
        {
            "request_id": request_id,
            "attempt": 0,
            "run_id": uuid7(),
            "body_sha256": b"",
            "begun": 1,
            "failures": 0,
            "updated": OLD,
        }
        for request_id in ("old", "undecided")
    ]
    async with database.writing() as connection:
        await connection.execute(insert(begun), rows)
    await record(database, "old")
    await pruned(database)
    async with database.reading() as connection:
        left = (await connection.execute(select(begun.c.request_id))).scalars().all()
    assert left == ["undecided"]


async def test_a_result_is_forgotten_when_it_expired_long_ago(database: Database) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(database, run)
    expirations = (OLD, NOON, None)
    for expiration in expirations:
        async with database.session([Demand(run_id=run.id, kind=run.kind)]) as session:
            state = Completed()
            await enter(session, run, state)
            session.remember_state("key", state, expiration)
    assert await pruned(database) == {Forgotten.CACHED_RESULTS: 1}
    cached = table_of(CachedStateRow)
    async with database.reading() as connection:
        left = (await connection.execute(select(cached.c.expiration))).scalars().all()
    assert set(left) == {NOON, None}


async def test_a_trial_tells_the_same_and_forgets_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_KEYS_AT_ONCE", 2)
    names = [f"r-{each}" for each in range(5)]
    for name in names:
        await record(database, name)
    assert await pruned(database, dry_run=True) == {Forgotten.REQUESTS: 5}
    assert await requests(database) == names
    assert await pruned(database) == {Forgotten.REQUESTS: 5}
    assert await requests(database) == []
