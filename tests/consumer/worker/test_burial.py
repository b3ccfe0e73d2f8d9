"""What can't even be aborted is a dead letter without a decision, and takes nothing along."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from persistence.begun import BegunKey, count_begun
from rules.identifiers import uuid7
from rules.policies import CoreTaskPolicy
from rules.policy import BaseOrchestrationPolicy
from tests.consumer.worker.governors import Bench, governing, migrated, reading, verdicts
from tests.consumer.worker.trouble import FailsAfter, policy_with

NO_DECISION_ON_BAD = """
CREATE TRIGGER refusing BEFORE INSERT ON decision WHEN NEW.request_id = 'bad'
BEGIN SELECT RAISE(ABORT, 'not this one'); END
"""


@pytest.fixture
def url(sqlite_url: str) -> str:
    return migrated(sqlite_url)


@asynccontextmanager
async def refusing(
    url: str, policy: type[BaseOrchestrationPolicy] = CoreTaskPolicy, *, max_failures: int = 5
) -> AsyncIterator[Bench]:
    """A governor over a database that takes no decision on the request called bad."""
    async with governing(url, policy, max_failures=max_failures) as bench:
        async with bench.database.writing() as connection:
            await connection.execute(text(NO_DECISION_ON_BAD))
        yield bench


def proposal(state: str, run_id: UUID) -> dict[str, Any]:
    run = {"kind": "task", "id": str(run_id)}
    return {"run": run, "create": {}, "state": {"type": state}}


def buried(outcomes: Sequence[Any]) -> list[str]:
    """The errors of the dead letters without a decision, by type."""
    return [
        outcome.forward.properties.headers["pointsman-dead-error-type"]
        for outcome in outcomes
        if outcome.answer is None and outcome.forward.exchange == "pointsman.dead-letters"
    ]


async def test_a_message_whose_abort_is_refused_too(url: str) -> None:
    async with refusing(url) as bench:
        outcomes = await bench.govern(
            reading(proposal("RUNNING", uuid7()), "before"),
            reading(proposal("RUNNING", uuid7()), "bad"),
            reading(proposal("RUNNING", uuid7()), "after"),
        )
    assert verdicts(outcomes) == ["accept", None, "accept"]
    assert buried(outcomes) == ["IntegrityError"]


async def test_a_message_that_failed_too_often_and_whose_abort_is_refused(url: str) -> None:
    run_id = uuid7()
    async with refusing(url, policy_with(FailsAfter, run_id), max_failures=0) as bench:
        outcomes = await bench.govern(
            reading(proposal("RUNNING", uuid7()), "before"),
            reading(proposal("RUNNING", run_id), "bad"),
            reading(proposal("RUNNING", uuid7()), "after"),
        )
    assert verdicts(outcomes) == ["accept", None, "accept"]
    assert buried(outcomes) == ["IntegrityError"]


async def test_a_message_that_ends_the_process_and_whose_abort_is_refused(url: str) -> None:
    run_id = uuid7()
    message = reading(proposal("RUNNING", run_id), "bad")
    key = BegunKey(
        request_id="bad",
        attempt=0,
        run_id=run_id,
        body_sha256=message.envelope.digest,
        user_id=None,
    )
    async with refusing(url) as bench:
        await count_begun(bench.database, {key: 2}, bench.clock())  # the process ended each time
        outcomes = await bench.governor.govern_alone(message)
    assert buried(outcomes) == ["IntegrityError"]
