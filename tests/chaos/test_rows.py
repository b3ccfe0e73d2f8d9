from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from consumer.dead_letters.filling import found_letter
from consumer.topology.names import DEAD_LETTERS, DELAY_LEVELS, delay_level, partition_queue
from consumer.wire.requests import Reading, Request
from consumer.worker.outcomes import Outcome
from consumer.worker.publishing import decision_messages
from persistence.limits import set_limit
from rules.identifiers import uuid7
from rules.runs import RunKind
from tests.chaos.checker import check
from tests.chaos.checking.sound.broker import as_delivery
from tests.chaos.history import EVERYTHING, Heard, History, QueueAtEnd, Sent
from tests.chaos.rows import read_rows
from tests.consumer.wire.messages import READER
from tests.consumer.worker.governors import Bench, came_back, governing, migrated, reading

NOTHING = QueueAtEnd(ready=0, unacknowledged=0)
QUEUES = dict.fromkeys(
    (partition_queue(0), DEAD_LETTERS, *map(delay_level, range(DELAY_LEVELS))), NOTHING
)


@pytest.fixture
def url(database_url: str) -> str:
    # Alembic runs a loop of its own, so that the tables are made outside the test's.
    return migrated(database_url)


def proposal(state: str, run_id: UUID) -> dict[str, Any]:
    run = {"kind": "task", "id": str(run_id)}
    return {"run": run, "create": {"tags": ["db"]}, "state": {"type": state}}


def as_sent(position: int, message: Reading) -> Sent:
    is_request = isinstance(message, Request)
    return Sent(
        request_id=message.envelope.request_id,
        run_id=message.run_id if isinstance(message, Request) else None,
        kind=RunKind.TASK if is_request else None,
        body=message.envelope.delivery.body,
        lane=0,
        position=position,
        confirmed=True,
    )


def as_heard(outcome: Outcome) -> Iterator[Heard]:
    for message in decision_messages(outcome):
        yield Heard(
            subscription=EVERYTHING,
            routing_key=message.routing_key,
            message_id=message.properties.message_id or "",
            correlation_id=message.properties.correlation_id,
            body=message.body,
            at=0,
        )


async def governed(bench: Bench, messages: list[Reading]) -> list[Outcome]:
    """What comes of all messages, of those too that come back from the ladder."""
    outcomes = await bench.governor.govern_alone(messages[0])
    outcomes += await bench.govern(*messages[1:])
    bench.clock.advance(60)
    for outcome in list(outcomes):
        if outcome.forward is not None and outcome.forward.exchange == DEAD_LETTERS:
            letter = found_letter(READER.read(as_delivery(outcome.forward)))
            async with bench.database.session() as session:
                session.keep_letters([letter])
        elif outcome.forward is not None:
            outcomes += await bench.govern(came_back(outcome))
    return outcomes


async def test_what_governing_leaves_behind_is_a_sound_history(url: str) -> None:
    first, second = uuid7(), uuid7()
    messages = [
        reading(proposal("RUNNING", first), "starts"),
        reading(proposal("RUNNING", second), "waits"),
        reading(proposal("COMPLETED", first), "ends"),
        reading(b"{", "broken"),
    ]
    async with governing(url) as bench:
        await set_limit(bench.database, "db", 1)
        outcomes = await governed(bench, messages)
        rows = await read_rows(bench.database)
    history = History(
        sent=[as_sent(*numbered) for numbered in enumerate(messages)],
        heard=[heard for outcome in outcomes for heard in as_heard(outcome)],
        rows=rows,
        queues=QUEUES,
    )
    assert check(history) == []
    assert len(rows.decisions) == 5
    assert [state.type for state in sorted(rows.states, key=lambda state: state.id)] == [
        "RUNNING",
        "COMPLETED",
        "RUNNING",
    ]
    assert {run.id: run.tags for run in rows.runs} == {first: ("db",), second: ("db",)}
    assert [(slot.tag, slot.task_run_id) for slot in rows.slots] == [("db", second)]
    assert rows.limits == {"db": 1}
    assert [(letter.request_id, letter.reason) for letter in rows.letters] == [
        ("broken", "invalid")
    ]
    assert [(begun.request_id, begun.begun) for begun in rows.begun] == [("starts", 1)]
