"""Replayed dead letters are governed anew, as what they were sent as."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from consumer.broker.messages import Delivery
from consumer.dead_letters.letters import DeathCause, LetterWriter
from consumer.dead_letters.replaying import ReplayWriter
from consumer.wire.requests import Reading
from consumer.worker.outcomes import Outcome
from persistence.dead_letters.changing import edit_letter
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import choose_letters
from persistence.dead_letters.replaying import begin_replays
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from tests.consumer.wire.messages import READER, delivery
from tests.consumer.worker.governors import (
    START,
    Bench,
    decided,
    delivered,
    forwarded,
    governing,
    migrated,
    reading,
)
from tests.consumer.worker.trouble import FailsBefore, policy_with
from tests.persistence.dead_letters.letters import statuses

WRITER = ReplayWriter(READER, "operator")


@pytest.fixture
def url(database_url: str) -> str:
    return migrated(database_url)


def proposal(run_id: UUID, state: str = "RUNNING", **rest: Any) -> dict[str, Any]:
    run = {"kind": "task", "id": str(run_id)}
    return {"run": run, "create": {}, "state": {"type": state}, **rest}


async def died(bench: Bench, *readings: Reading) -> list[Outcome]:
    """Govern what ends in dead letters, and record these."""
    outcomes = await bench.govern(*readings)
    assert await bench.filling.record([forwarded(outcome) for outcome in outcomes]) == []
    return outcomes


async def replays(bench: Bench) -> list[Delivery]:
    """Replay all letters that are open."""
    chosen = await choose_letters(
        bench.database, LetterFilter(statuses=(LetterStatus.OPEN,), replayable=True)
    )
    begun = await begin_replays(bench.database, [each.id for each in chosen])
    return [delivered(WRITER.message(each)) for each in begun]


async def govern(bench: Bench, *deliveries: Delivery) -> list[dict[str, Any]]:
    """What is decided on each."""
    outcomes = await bench.govern(*(READER.read(each) for each in deliveries))
    return [decided(outcome) for outcome in outcomes]


async def test_what_a_mended_rule_refused_is_governed_anew_as_the_next_attempt(url: str) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        [first] = await died(bench, reading(proposal(run_id)))
        assert (decided(first)["code"], decided(first)["attempt"]) == ("rule-error", 0)
        FailsBefore.run_id = uuid7()
        [message] = await replays(bench)
        [again] = await govern(bench, message)
        assert (again["decision"], again["attempt"]) == ("accept", 1)
        assert await govern(bench, message) == [again]
        assert await govern(bench, delivery(proposal(run_id))) == [decided(first)]


async def test_a_replay_that_dies_again_is_a_letter_of_its_own(url: str) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        await died(bench, reading(proposal(run_id)))
        for attempt in (1, 2):
            [message] = await replays(bench)
            [second] = await died(bench, READER.read(message))
            assert (decided(second)["attempt"], decided(second)["code"]) == (attempt, "rule-error")
        counts = list((await statuses(bench.database)).values())
    assert sorted(counts) == [LetterStatus.OPEN, LetterStatus.REPLAYING, LetterStatus.REPLAYING]


async def test_what_was_never_decided_is_replayed_as_it_was_and_its_letter_opened_when_it_dies(
    url: str,
) -> None:
    run_id = uuid7()
    buried = LetterWriter("test").letter(
        reading(proposal(run_id)).envelope,
        DeathCause.of("failed", RuntimeError("a fault of ours")),
        attempt=0,
        at=START,
    )
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        await bench.filling.record([delivered(buried)])
        [message] = await replays(bench)
        assert await replays(bench) == []
        bench.clock.advance(60)
        [second] = await died(bench, READER.read(message))
        assert (decided(second)["attempt"], decided(second)["code"]) == (0, "rule-error")
        assert list((await statuses(bench.database)).values()) == [LetterStatus.OPEN]
        FailsBefore.run_id = uuid7()
        [message] = await replays(bench)
        [accepted] = await govern(bench, message)
    assert (accepted["decision"], accepted["attempt"]) == ("accept", 1)


async def test_a_request_counts_on_after_a_replay_that_was_delayed(url: str) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        await died(bench, reading(proposal(run_id), "r"))
        FailsBefore.run_id = uuid7()
        later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:01:00Z"}}
        await bench.govern(reading(proposal(run_id) | {"state": later}, "s"))
        [message] = await replays(bench)
        [delayed] = await bench.govern(READER.read(message))
        assert (decided(delayed)["decision"], decided(delayed)["attempt"]) == ("delay", 1)
        bench.clock.advance(60)
        [accepted] = await govern(bench, forwarded(delayed))
    assert (accepted["decision"], accepted["attempt"]) == ("accept", 2)


async def test_a_replay_is_governed_in_the_name_of_whoever_sent_the_request(url: str) -> None:
    boss, nobody = uuid7(), uuid7()
    async with governing(url) as bench:
        # Condemned before any rule saw them, which is the one way in which force can end so.
        for run_id, user in ((boss, "boss"), (nobody, "nobody")):
            expired = delivery(
                proposal(run_id, force=True),
                message_id=str(run_id),
                user_id=user,
                headers={"x-death": [{"reason": "expired", "queue": "q", "time": START}]},
            )
            await bench.filling.record([expired])
        messages = await replays(bench)
        assert [message.properties.user_id for message in messages] == [None, None]
        forced, forbidden = await govern(bench, *messages)
    assert (forced["decision"], forced["attempt"]) == ("accept", 1)
    assert (forbidden["code"], forbidden["attempt"]) == ("forbidden", 1)


async def test_nobody_else_can_claim_to_be_a_replay(url: str) -> None:
    run_id = uuid7()
    claim = {"pointsman-request-id": "r-1", "pointsman-attempt": 1}
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        [first] = await died(bench, reading(proposal(run_id)))
        FailsBefore.run_id = uuid7()
        claimed = delivery(proposal(run_id), headers=claim)
        assert await govern(bench, claimed) == [decided(first)]
        [message] = await replays(bench)
        other_body = replace(message, body=delivery(proposal(run_id, "PENDING")).body)
        [refused] = await govern(bench, other_body)
        assert refused["code"] == "id-reused"
        skipping = delivery(proposal(run_id), headers=claim | {"pointsman-attempt": 2})
        assert await govern(bench, skipping) == [decided(first)]


async def test_a_letter_that_is_replayed_as_another_request_bears_nothing_out(url: str) -> None:
    run_id = uuid7()
    claim = {"pointsman-request-id": "r-1", "pointsman-attempt": 1}
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        [first] = await died(bench, reading(proposal(run_id)))
        FailsBefore.run_id = uuid7()
        [chosen] = await choose_letters(bench.database, LetterFilter())
        pending = delivery(proposal(run_id, "PENDING")).body
        assert await edit_letter(bench.database, chosen.id, pending, "new", START)
        [message] = await replays(bench)
        [accepted] = await govern(bench, message)
        assert (accepted["request_id"], accepted["attempt"]) == ("new", 0)
        assert accepted["state"]["type"] == "PENDING"
        claimed = delivery(proposal(run_id), headers=claim)
        assert await govern(bench, claimed) == [decided(first)]


async def test_a_strangers_claim_is_told_with_what_else_its_message_came_with(url: str) -> None:
    run_id = uuid7()
    forged = {
        "pointsman-request-id": "r-1",
        "pointsman-attempt": 4,
        "pointsman-original": '{"user_id":"boss"}',
    }
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        [outcome] = await bench.govern(reading(proposal(run_id), headers=forged))
    original = forwarded(outcome).properties.headers["pointsman-original"]
    assert original.startswith('{"headers":{')
    assert '"pointsman-original":"{\\"user_id\\":\\"boss\\"}"' in original
