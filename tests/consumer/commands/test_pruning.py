from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import from_json

from persistence.database import Database
from rules.moments import utc_now
from tests.consumer.commands.conftest import InDatabase, Invoke
from tests.persistence.records import record_of


async def remember(database: Database) -> None:
    """Two requests, decided ten days ago and now."""
    for request_id, days in (("old", 10), ("new", 0)):
        decided_at = utc_now() - timedelta(days=days)
        async with database.session() as session:
            session.record(record_of(None, request_id, decided_at=decided_at))


def requests_of(stdout: str) -> dict[str, Any]:
    [row] = [row for row in from_json(stdout) if row["what"] == "requests"]
    return {"found": row["found"], "deleted": row["deleted"]}


def test_what_is_older_than_it_is_remembered_for_is_deleted(
    invoke: Invoke, in_database: InDatabase
) -> None:
    in_database(remember)
    trial = invoke("db", "prune", "--dry-run", "--json")
    assert requests_of(trial.stdout) == {"found": 1, "deleted": 0}
    done = invoke("db", "prune", "--json")
    assert requests_of(done.stdout) == {"found": 1, "deleted": 1}
    again = invoke("db", "prune", "--json")
    assert requests_of(again.stdout) == {"found": 0, "deleted": 0}


def test_an_age_may_be_longer(invoke: Invoke, in_database: InDatabase) -> None:
    in_database(remember)
    kept = invoke("db", "prune", "--older-than", "11d", "--json")
    assert requests_of(kept.stdout) == {"found": 0, "deleted": 0}


def test_an_age_is_never_shorter_than_what_is_promised_to_producers(
    invoke: Invoke, in_database: InDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_database(remember)
    monkeypatch.setenv("POINTSMAN_REMEMBER_DAYS", "30")
    refused = invoke("db", "prune", "--older-than", "29d")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "POINTSMAN_REMEMBER_DAYS" in refused.stderr
