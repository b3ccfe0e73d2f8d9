"""Results: any JSON comes back as it was."""

from typing import Any

import pytest
from pydantic import JsonValue
from sqlalchemy import text

from persistence.database import Database
from persistence.demands import Demand
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Completed
from tests.persistence.records import enter, make_runs


def nested(depth: int) -> JsonValue:
    value: JsonValue = "the innermost"
    for _ in range(depth):
        value = [value]
    return value


VALUES: dict[str, Any] = {
    "false": False,
    "zero": 0,
    "a number beyond 64 bits": 123_456_789_012_345_678_901_234_567_890,
    "a number below 64 bits": -(2**200),
    "a float": 0.1 + 0.2,
    "a large float": 1.7976931348623157e308,
    "a tiny float": 5e-324,
    "an empty text": "",
    "a NUL": "a\0b",
    "all sorts of text": 'é "quoted" \\ \n \u2028 \U0001f6e4 \u200f',
    "an empty object": {},
    "an empty list": [],
    "keys of all sorts": {"": 1, "a\0b": 2, "é": 3, "null": None},
    "an unpersisted result": {"type": "unpersisted", "why": None},
    "a nest": nested(150),
    "a megabyte": {"text": "x" * 1_000_000, "numbers": list(range(20_000))},
}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("name", VALUES)
async def test_data_comes_back_as_it_was(database: Database, name: str, *, kept: bool) -> None:
    run, state = TaskRun(id=uuid7()), Completed(data=VALUES[name])
    await make_runs(database, run)
    async with database.session([Demand(run_id=run.id)]) as session:
        await enter(session, run, state)
        if kept:
            session.write_artifact(run, state)

    async with database.session([Demand(run_id=run.id)]) as session:
        found = await session.task_run(run.id)
        assert found is not None
        assert found.state == state
        assert found.state is not None
        assert type(found.state.data) is type(state.data)


async def test_data_kept_as_an_artifact_is_not_kept_twice(database: Database) -> None:
    run, state = TaskRun(id=uuid7()), Completed(data={"rows": 3})
    await make_runs(database, run)
    async with database.session([Demand(run_id=run.id)]) as session:
        await enter(session, run, state)
        session.write_artifact(run, state)

    async with database.reading() as connection:
        rows = await connection.execute(
            text(
                "SELECT count(*), count(data) FROM run_state UNION ALL"
                " SELECT count(*), count(data) FROM artifact"
            )
        )
        assert [tuple(row) for row in rows] == [(1, 0), (1, 1)]
