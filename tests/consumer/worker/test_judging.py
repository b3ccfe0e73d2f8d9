"""Requests that the broker made dead letters of are decided as their letters are recorded."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from consumer.broker.messages import Delivery
from persistence.dead_letters.listing import list_letters
from persistence.demands import Demand
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from tests.consumer.wire.messages import delivery
from tests.consumer.worker.governors import (
    START,
    Bench,
    decided,
    forwarded,
    governing,
    migrated,
    reading,
)
from tests.consumer.worker.trouble import FailsBefore, policy_with
from tests.persistence.dead_letters.letters import whole


@pytest.fixture
def url(database_url: str) -> str:
    return migrated(database_url)


def proposal(run_id: UUID, **rest: Any) -> dict[str, Any]:
    run = {"kind": "task", "id": str(run_id)}
    return {"run": run, "create": {}, "state": {"type": "RUNNING"}, **rest}


def expired(body: object, **properties: Any) -> Delivery:
    """A message that nobody took in time, as it lies among the dead letters."""
    deaths = [{"reason": "expired", "queue": "pointsman.requests.3", "time": START}]
    headers = properties.pop("headers", {}) | {"x-death": deaths}
    return delivery(body, headers=headers, **properties)


async def recorded(bench: Bench) -> list[tuple[str | None, int | None, str, LetterStatus]]:
    return [
        (each.request_id, each.attempt, each.reason, each.status)
        for each in reversed(await list_letters(bench.database))
    ]


async def test_a_request_that_expired_is_aborted_and_its_letter_is_open(url: str) -> None:
    run_id = uuid7()
    async with governing(url) as bench:
        [outcome] = await bench.filling.record([expired(proposal(run_id), reply_to="amq.gen-1")])
        decision = decided(outcome)
        assert (decision["decision"], decision["code"]) == ("abort", "failed")
        assert (decision["attempt"], decision["run"]) == (0, None)
        assert outcome.envelope.reply_to == "amq.gen-1"
        assert await recorded(bench) == [("r-1", 0, "undelivered", LetterStatus.OPEN)]
        [again] = await bench.govern(reading(proposal(run_id)))
        assert decided(again) == decision


async def test_its_letter_is_the_one_that_the_broker_made_and_no_second(url: str) -> None:
    body = proposal(uuid7())
    async with governing(url) as bench:
        [outcome] = await bench.filling.record([expired(body)])
        assert (outcome.forward, outcome.forwards) == (None, None)
        async with bench.database.session([Demand(request_id="r-1")]) as session:
            record = session.recorded("r-1", 0)
        assert record is not None
        assert (record.forward.value, record.forwarded) == ("dead-letter", True)
        [duplicate] = await bench.govern(reading(body))
        assert duplicate.forward is None


async def test_a_letter_that_comes_twice_is_answered_twice_and_stays_open(url: str) -> None:
    buried = expired(proposal(uuid7()))
    async with governing(url) as bench:
        [first] = await bench.filling.record([buried])
        [second] = await bench.filling.record([buried])
        assert first.answer is not None
        assert second.answer is not None
        assert first.answer.body == second.answer.body
        assert await recorded(bench) == [("r-1", 0, "undelivered", LetterStatus.OPEN)]


async def test_what_was_decided_is_published_again_and_the_letter_is_closed(url: str) -> None:
    body = proposal(uuid7())
    async with governing(url) as bench:
        [accepted] = await bench.govern(reading(body))
        [outcome] = await bench.filling.record([expired(body)])
        assert decided(outcome) == decided(accepted)
        assert outcome.forward is None
        assert await recorded(bench) == [("r-1", 0, "undelivered", LetterStatus.ANSWERED)]


async def test_a_delay_that_was_not_forwarded_is_forwarded_now(url: str) -> None:
    run_id = uuid7()
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:01:00Z"}}
    body = proposal(run_id)
    async with governing(url) as bench:
        await bench.govern(reading(body | {"state": later}, "s"))
        [delayed] = await bench.govern(reading(body))
        assert decided(delayed)["decision"] == "delay"
        first, twin = await bench.filling.record([expired(body), expired(body)])
        assert first.forward is not None
        assert first.forward.exchange == "pointsman.delay.5"
        assert first.forwards == ("r-1", 0)
        assert twin.forward is None
        assert {status for *_, status in await recorded(bench)} == {LetterStatus.ANSWERED}


async def test_a_letter_of_ours_that_was_not_forwarded_opens_the_brokers_again(url: str) -> None:
    run_id = uuid7()
    body = proposal(run_id)
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        await bench.govern(reading(body))  # its letter is lost with the process, say
        [outcome] = await bench.filling.record([expired(body)])
        assert await recorded(bench) == [("r-1", 0, "undelivered", LetterStatus.ANSWERED)]
        await bench.filling.record([forwarded(outcome)])
        assert await recorded(bench) == [("r-1", 0, "rule-error", LetterStatus.OPEN)]


async def test_another_body_under_a_known_id_is_answered_and_closed(url: str) -> None:
    async with governing(url) as bench:
        await bench.govern(reading(proposal(uuid7())))
        [outcome] = await bench.filling.record([expired(proposal(uuid7()))])
        assert decided(outcome)["code"] == "id-reused"
        assert await recorded(bench) == [("r-1", 0, "undelivered", LetterStatus.ANSWERED)]


async def test_what_it_claims_to_be_is_not_believed_of_a_buried_request_either(url: str) -> None:
    forged = {"pointsman-request-id": "r-1", "pointsman-attempt": 7}
    async with governing(url) as bench:
        [outcome] = await bench.filling.record([expired(proposal(uuid7()), headers=forged)])
        assert decided(outcome)["attempt"] == 0
        assert await recorded(bench) == [("r-1", 0, "undelivered", LetterStatus.OPEN)]


async def test_an_unreadable_message_that_expired_is_answered_too(url: str) -> None:
    async with governing(url) as bench:
        named, nameless = await bench.filling.record(
            [expired(b"junk"), expired(b"junk", message_id=None)]
        )
        assert (decided(named)["code"], decided(nameless)["code"]) == ("failed", "invalid")
        assert (named.forward, nameless.forward) == (None, None)
        assert await recorded(bench) == [
            ("r-1", 0, "undelivered", LetterStatus.OPEN),
            (None, 0, "undelivered", LetterStatus.OPEN),
        ]


async def test_a_letter_that_the_database_refuses_is_recorded_stripped(url: str) -> None:
    run_id = uuid7()
    buried = expired(proposal(run_id), headers={"unwelcome": "x"})
    neighbour = expired(proposal(uuid7()), message_id="r-2")
    async with governing(url) as bench:
        await refuse_errors_about(bench, "r-1")
        outcomes = await bench.filling.record([buried, neighbour])
        assert [decided(outcome)["request_id"] for outcome in outcomes] == ["r-2"]
        assert await recorded(bench) == [
            ("r-1", 0, "undelivered", LetterStatus.OPEN),
            ("r-2", 0, "undelivered", LetterStatus.OPEN),
        ]
        stripped, full = reversed(await list_letters(bench.database))
        assert (stripped.error, stripped.run_id) == (None, run_id)
        assert full.error is not None
        found = await whole(bench.database, stripped.letter_id)
        assert (found.body, found.properties) == (buried.body, {})


async def refuse_errors_about(bench: Bench, request_id: str) -> None:
    """Let the database refuse letters of this request that tell an error."""
    refused = f"request_id = '{request_id}' AND error IS NOT NULL"
    async with bench.database.writing() as connection:
        if connection.dialect.name == "postgresql":
            statement = f"ALTER TABLE dead_letter ADD CONSTRAINT no_errors CHECK (NOT ({refused}))"
        else:
            condition = refused.replace("request_id", "NEW.request_id").replace(
                "error IS", "NEW.error IS"
            )
            statement = (
                f"CREATE TRIGGER no_errors BEFORE INSERT ON dead_letter WHEN {condition}"
                " BEGIN SELECT RAISE(ABORT, 'no errors, please'); END"
            )
        await connection.execute(text(statement))
