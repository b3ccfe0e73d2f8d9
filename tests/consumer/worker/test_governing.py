from typing import Any
from uuid import UUID

import pytest

from consumer.topology.names import DEAD_LETTERS
from consumer.wire.names import DECISION_TYPE
from persistence.begun import BegunKey, count_begun
from rules.identifiers import uuid7
from tests.consumer.worker.governors import (
    came_back,
    decided,
    governing,
    migrated,
    reading,
    verdicts,
)
from tests.consumer.worker.trouble import (
    FailsAfter,
    FailsBefore,
    Hangs,
    WritesRubbish,
    policy_with,
)


@pytest.fixture
def url(sqlite_url: str) -> str:
    # Alembic runs a loop of its own, so that the tables are made outside the test's.
    return migrated(sqlite_url)


def proposal(state: str, run_id: UUID, **rest: Any) -> dict[str, Any]:
    run = {"kind": "task", "id": str(run_id)}
    return {"run": run, "create": {}, "state": {"type": state}, **rest}


async def test_each_request_of_a_batch_sees_what_those_before_it_did(url: str) -> None:
    run_id = uuid7()
    steps = ("PENDING", "RUNNING", "PENDING", "COMPLETED", "RUNNING")
    async with governing(url) as bench:
        outcomes = await bench.govern(
            *(
                reading(proposal(step, run_id), f"{place}: {step}")
                for place, step in enumerate(steps)
            )
        )
    assert verdicts(outcomes) == ["accept", "accept", "abort", "accept", "abort"]


async def test_a_duplicate_within_a_batch_is_answered_with_the_first_ones_bytes(url: str) -> None:
    body = proposal("RUNNING", uuid7())
    async with governing(url) as bench:
        first, second = await bench.govern(reading(body), reading(body))
    assert first.answer is not None
    assert second.answer is not None
    assert (first.answer.body, first.answer.repeated) == (second.answer.body, False)
    assert second.answer.repeated


async def test_an_id_with_another_body_is_refused_and_not_announced(url: str) -> None:
    async with governing(url) as bench:
        _, reused = await bench.govern(
            reading(proposal("RUNNING", uuid7())), reading(proposal("RUNNING", uuid7()))
        )
    assert (decided(reused)["code"], decided(reused)["attempt"]) == ("id-reused", None)
    assert reused.answer is not None
    assert not reused.answer.announced


async def test_an_id_that_is_refused_again_is_refused_with_the_same_bytes(url: str) -> None:
    other = proposal("RUNNING", uuid7())
    async with governing(url) as bench:
        _, first = await bench.govern(reading(proposal("RUNNING", uuid7())), reading(other))
        bench.clock.advance(60)
        [second] = await bench.govern(reading(other))
    assert first.answer is not None
    assert second.answer is not None
    assert first.answer.identity == second.answer.identity
    assert first.answer.body == second.answer.body


async def test_a_forged_attempt_is_taken_for_what_it_would_be_without(url: str) -> None:
    forged = {"pointsman-request-id": "r-1", "pointsman-attempt": 7}
    async with governing(url) as bench:
        [outcome] = await bench.govern(reading(proposal("RUNNING", uuid7()), headers=forged))
    assert decided(outcome)["attempt"] == 0


async def test_a_forged_attempt_does_not_bring_a_decided_request_back(url: str) -> None:
    body = proposal("RUNNING", uuid7())
    forged = {"pointsman-request-id": "r-1", "pointsman-attempt": 1}
    async with governing(url) as bench:
        [first] = await bench.govern(reading(body))
        [again] = await bench.govern(reading(body, headers=forged))
    assert first.answer is not None
    assert again.answer is not None
    assert again.answer.body == first.answer.body


def scheduled(run_id: UUID, time: str, **rest: Any) -> dict[str, Any]:
    body = proposal("SCHEDULED", run_id, **rest)
    body["state"]["state_details"] = {"scheduled_time": time}
    return body


async def test_a_delayed_request_comes_back_as_the_next_attempt(url: str) -> None:
    run_id = uuid7()
    async with governing(url) as bench:
        _, delayed = await bench.govern(
            reading(scheduled(run_id, "2026-01-01T00:01:00Z"), "s"),
            reading(proposal("RUNNING", run_id), "r"),
        )
        assert (decided(delayed)["decision"], decided(delayed)["delay_seconds"]) == ("delay", 60)
        assert delayed.forwards == ("r", 0)
        bench.clock.advance(60)
        [accepted] = await bench.govern(came_back(delayed))
    assert (decided(accepted)["decision"], decided(accepted)["attempt"]) == ("accept", 1)


async def test_a_duplicate_of_a_delay_forwards_only_until_that_is_confirmed(url: str) -> None:
    run_id = uuid7()
    body = proposal("RUNNING", run_id)
    async with governing(url) as bench:
        _, first, twin = await bench.govern(
            reading(scheduled(run_id, "2026-01-01T00:01:00Z"), "s"),
            reading(body, "r"),
            reading(body, "r"),
        )
        assert (first.forward is None, twin.forward is None) == (False, True)
        bench.clock.advance(20)
        [redelivered] = await bench.govern(reading(body, "r"))
        assert redelivered.forward is not None
        assert redelivered.forward.exchange == "pointsman.delay.5"  # 40 s are left
        bench.governor.confirm(frozenset({("r", 0)}))
        [late] = await bench.govern(reading(body, "r"))
        assert late.forward is None
        [later] = await bench.govern(reading(body, "r"))
        assert later.forward is None


async def test_a_delay_never_waits_beyond_the_deadline(url: str) -> None:
    run_id = uuid7()
    async with governing(url) as bench:
        _, delayed = await bench.govern(
            reading(scheduled(run_id, "2026-01-01T01:00:00Z"), "s"),
            reading(proposal("RUNNING", run_id, deadline="2026-01-01T00:00:10Z"), "r"),
        )
        assert decided(delayed)["delay_seconds"] == 10
        bench.clock.advance(10)
        [aborted] = await bench.govern(came_back(delayed))
    assert (decided(aborted)["code"], decided(aborted)["attempt"]) == ("deadline", 1)


async def test_a_rule_that_raises_before_ends_as_a_dead_letter_and_writes_nothing(
    url: str,
) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(FailsBefore, run_id)) as bench:
        bad, good = await bench.govern(
            reading(proposal("RUNNING", run_id), "bad"),
            reading(proposal("RUNNING", uuid7()), "good"),
        )
    assert (decided(bad)["decision"], decided(bad)["code"]) == ("abort", "rule-error")
    assert (decided(bad)["rule"], decided(bad)["run"]["version"]) == ("FailsBefore", 0)
    assert bad.forward is not None
    assert bad.forward.exchange == "pointsman.dead-letters"
    assert bad.forward.properties.headers["pointsman-dead-error-type"] == "KeyError"
    assert decided(good)["decision"] == "accept"


async def test_a_rule_that_raises_after_is_tried_again_and_again_and_then_condemned(
    url: str,
) -> None:
    run_id = uuid7()
    waited = []
    async with governing(url, policy_with(FailsAfter, run_id), max_failures=3) as bench:
        [outcome] = await bench.govern(reading(proposal("RUNNING", run_id)))
        while outcome.answer is None:
            assert outcome.forward is not None
            waited.append(outcome.forward.exchange)
            [outcome] = await bench.govern(came_back(outcome))
    assert waited == ["pointsman.delay.0", "pointsman.delay.1", "pointsman.delay.2"]
    assert (decided(outcome)["decision"], decided(outcome)["code"]) == ("abort", "failed")
    assert decided(outcome)["run"]["version"] == 0
    assert outcome.forward is not None
    assert outcome.forward.properties.headers["pointsman-dead-error"] == "not today"


async def test_later_messages_of_a_run_follow_the_one_that_failed_and_others_do_not(
    url: str,
) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(FailsAfter, run_id)) as bench:
        failed, follows, other = await bench.govern(
            reading(proposal("PENDING", run_id), "first"),
            reading(proposal("RUNNING", run_id), "second"),
            reading(proposal("RUNNING", uuid7()), "other"),
        )
    assert verdicts([failed, follows, other]) == [None, None, "accept"]
    assert failed.forward is not None
    assert follows.forward is not None
    assert follows.forward.exchange == failed.forward.exchange


async def test_a_forced_request_that_failed_is_still_its_senders(url: str) -> None:
    run_id = uuid7()
    body = proposal("RUNNING", run_id, force=True)
    async with governing(url) as bench:
        [forced] = await bench.govern(reading(body, user_id="boss"))
        [refused] = await bench.govern(reading(body, "other", user_id="clerk"))
    assert decided(forced)["decision"] == "accept"
    assert decided(refused)["code"] == "forbidden"


async def test_a_hook_that_hangs_is_cut_off_and_its_neighbours_are_decided(url: str) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(Hangs, run_id), seconds=0.5) as bench:
        before, hangs, after = await bench.govern(
            reading(proposal("RUNNING", uuid7()), "before"),
            reading(proposal("RUNNING", run_id), "hangs"),
            reading(proposal("RUNNING", uuid7()), "after"),
        )
    assert verdicts([before, hangs, after]) == ["accept", None, "accept"]


async def test_what_the_database_refuses_is_aborted_alone(url: str) -> None:
    run_id = uuid7()
    async with governing(url, policy_with(WritesRubbish, run_id)) as bench:
        before, bad, after = await bench.govern(
            reading(proposal("RUNNING", uuid7()), "before"),
            reading(proposal("RUNNING", run_id), "bad"),
            reading(proposal("RUNNING", uuid7()), "after"),
        )
    assert verdicts([before, bad, after]) == ["accept", "abort", "accept"]
    assert decided(bad)["code"] == "not-written"
    assert bad.forward is not None
    assert bad.forward.exchange == "pointsman.dead-letters"


async def test_a_redelivered_message_is_condemned_when_it_is_begun_for_the_third_time(
    url: str,
) -> None:
    run_id = uuid7()
    message = reading(proposal("RUNNING", run_id))
    async with governing(url) as bench:
        key = BegunKey(
            request_id="r-1",
            attempt=0,
            run_id=run_id,
            body_sha256=message.envelope.digest,
            user_id=None,
        )
        await count_begun(bench.database, {key: 2}, bench.clock())  # the process ended each time
        [condemned] = await bench.governor.govern_alone(message)
    assert (decided(condemned)["decision"], decided(condemned)["code"]) == ("abort", "failed")
    assert condemned.forward is not None


async def test_a_redelivered_message_that_was_decided_is_answered_as_then(url: str) -> None:
    message = reading(proposal("RUNNING", uuid7()))
    async with governing(url) as bench:
        [first] = await bench.govern(message)
        for _ in range(5):
            [again] = await bench.governor.govern_alone(message)
            assert first.answer is not None
            assert again.answer is not None
            assert again.answer.body == first.answer.body


async def test_an_unreadable_message_with_an_id_is_on_record(url: str) -> None:
    async with governing(url) as bench:
        first, second = await bench.govern(reading(b"junk"), reading(b"junk"))
    assert decided(first)["code"] == "invalid"
    assert first.answer is not None
    assert second.answer is not None
    assert first.answer.body == second.answer.body
    assert (first.forward is None, second.forward is None) == (False, True)


@pytest.mark.parametrize("attempt", [None, 7])
async def test_an_unreadable_message_with_forged_headers_is_refused_like_any_other(
    url: str, attempt: int | None
) -> None:
    forged = {"pointsman-request-id": "r-1", "pointsman-attempt": attempt}
    async with governing(url) as bench:
        [outcome] = await bench.govern(reading(b"junk", headers=forged))
    assert (decided(outcome)["code"], decided(outcome)["attempt"]) == ("invalid", 0)


async def test_a_decision_that_comes_back_as_a_request_is_buried_and_not_answered(
    url: str,
) -> None:
    async with governing(url) as bench:
        [outcome] = await bench.govern(reading(b"{}", "r-1", type=DECISION_TYPE))
    assert outcome.answer is None
    assert outcome.forward is not None
    assert outcome.forward.exchange == DEAD_LETTERS
