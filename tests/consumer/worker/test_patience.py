"""Why a transaction is tried again, as it is counted."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from consumer.health.measures.storage import RepeatCause
from consumer.health.metrics import Metrics
from consumer.health.readiness import Obstacle, Readiness
from consumer.worker import patience
from consumer.worker.patience import MAX_DUPLICATES, Patience, SlowStorageError
from persistence.errors import DatabaseUnreachable
from tests.consumer.health.scrapes import samples


def failures() -> Iterator[tuple[RepeatCause, Exception]]:
    """One failure for each cause, with SQLite's own words where it has any."""
    with sqlite3.connect(":memory:") as memory:
        memory.execute("CREATE TABLE there (id INTEGER PRIMARY KEY)")
        for statement, wrapper, cause in (
            ("INSERT INTO there VALUES (1), (1)", IntegrityError, RepeatCause.DUPLICATE),
            ("SELECT * FROM nowhere", OperationalError, RepeatCause.UNUSABLE),
        ):
            try:
                memory.execute(statement)
            except sqlite3.Error as error:
                yield cause, wrapper(statement, {}, error)
    yield RepeatCause.AWAY, DatabaseUnreachable("postgresql://there", "connection refused")
    yield RepeatCause.CONTENTION, PoolTimeoutError()
    yield RepeatCause.SLOW, SlowStorageError(30)


@pytest.mark.parametrize(("cause", "error"), list(failures()))
async def test_each_repetition_is_counted_by_its_cause(
    cause: RepeatCause, error: Exception
) -> None:
    readiness = Readiness()
    metrics = Metrics(readiness)
    fails = [error, error]

    async def transaction() -> str:
        if fails:
            raise fails.pop()
        return "done"

    waiting = Patience(readiness, metrics.storage)
    assert await waiting.until_storage_answers(transaction) == "done"
    counted = samples(metrics.text().decode())
    expected = {f'pointsman_transaction_retries_total{{cause="{cause}"}}': 2.0}
    assert expected.items() <= counted.items()
    assert sum(counted[name] for name in counted if "transaction_retries_total" in name) == 2
    is_away = cause in {RepeatCause.AWAY, RepeatCause.UNUSABLE}
    assert readiness.pauses.get(Obstacle.DATABASE, 0) == is_away


async def test_a_duplicate_after_a_long_wait_for_something_else_is_tried_again_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "_LONGEST_WAIT_SECONDS", 0)
    errors = dict(failures())
    fails = [errors[RepeatCause.DUPLICATE], *[errors[RepeatCause.AWAY]] * MAX_DUPLICATES]

    async def transaction() -> str:
        if fails:
            raise fails.pop()
        return "done"

    readiness = Readiness()
    waiting = Patience(readiness, Metrics(readiness).storage)
    assert await waiting.until_storage_answers(transaction) == "done"


async def test_a_row_that_is_there_however_often_it_is_tried_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "_LONGEST_WAIT_SECONDS", 0)
    duplicate = dict(failures())[RepeatCause.DUPLICATE]
    tries = 0

    async def transaction() -> None:
        nonlocal tries
        tries += 1
        raise duplicate

    readiness = Readiness()
    waiting = Patience(readiness, Metrics(readiness).storage)
    with pytest.raises(IntegrityError):
        await waiting.until_storage_answers(transaction)
    assert tries == MAX_DUPLICATES


def test_every_cause_is_tried() -> None:
    assert {cause for cause, _ in failures()} == set(RepeatCause)
