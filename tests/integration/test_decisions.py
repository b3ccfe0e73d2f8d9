"""What a producer is told, through a running consumer, a real broker and a real database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from rules.identifiers import uuid7
from rules.moments import utc_now
from tests.integration.processes import RunningConsumer, consuming
from tests.integration.world import Watcher, World, content, proposal, watching

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_SECONDS = 5
"""Later than what has to come before, however slow the machine is."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def consumer(shared_world: World) -> AsyncIterator[RunningConsumer]:
    async with consuming(**shared_world.settings, force_users=shared_world.user) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def watcher(shared_world: World, consumer: RunningConsumer) -> AsyncIterator[Watcher]:
    del consumer
    async with watching(shared_world.amqp_url) as watching_it:
        yield watching_it


async def test_the_same_message_id_sent_twice_is_governed_once_and_answered_twice(
    watcher: Watcher,
) -> None:
    body = proposal("RUNNING", create={})
    await watcher.send_all([watcher.request(body, "twice") for _ in range(2)])
    first, second = await watcher.replied(2)
    assert first.body == second.body
    assert first.properties.message_id == second.properties.message_id
    assert content(first)["run"]["version"] == 1
    announced = await watcher.heard(2)
    assert {each.body for each in announced} == {first.body}


async def test_a_duplicate_long_after_is_answered_with_the_same_bytes(watcher: Watcher) -> None:
    body = proposal("RUNNING", create={})
    await watcher.send(body, "again")
    [first] = await watcher.replied(1)
    completed = await watcher.decision(proposal("COMPLETED", body["run"]["id"]))
    assert completed["run"]["version"] == 2
    await watcher.send(body, "again")
    [second] = await watcher.replied(1)
    assert second.body == first.body


async def test_an_id_that_belongs_to_another_request_is_refused_and_told_to_the_sender_only(
    watcher: Watcher,
) -> None:
    await watcher.decision(proposal("RUNNING", create={}), request_id="mine")
    await watcher.heard(1)
    refused = await watcher.decision(proposal("RUNNING", create={}), request_id="mine")
    assert (refused["decision"], refused["code"], refused["attempt"]) == (
        "abort",
        "id-reused",
        None,
    )
    await watcher.decision(proposal("RUNNING", create={}), request_id="another")
    [announced] = await watcher.heard(1)
    assert content(announced)["request_id"] == "another"


async def test_a_short_delay_comes_back_by_itself_while_a_long_one_waits(watcher: Watcher) -> None:
    for seconds in (3_600, SOON_SECONDS):
        due = utc_now() + timedelta(seconds=seconds)
        run_id = uuid7()
        details = {"scheduled_time": due}
        await watcher.decision(proposal("SCHEDULED", run_id, create={}, details=details))
        delayed = await watcher.decision(proposal("RUNNING", run_id), request_id=f"in {seconds} s")
        assert (delayed["decision"], delayed["code"]) == ("delay", "scheduled")
        assert 0 < delayed["delay_seconds"] <= seconds
        assert delayed["state"] is None
    [accepted] = await watcher.decisions(1)
    assert (accepted["request_id"], accepted["attempt"]) == (f"in {SOON_SECONDS} s", 1)
    assert (accepted["decision"], accepted["run"]["state_type"]) == ("accept", "RUNNING")


async def test_a_delay_that_is_returned_does_not_come_back_by_itself(watcher: Watcher) -> None:
    run_id = uuid7()
    details = {"scheduled_time": utc_now() + timedelta(seconds=SOON_SECONDS)}
    await watcher.decision(proposal("SCHEDULED", run_id, create={}, details=details))
    returned = await watcher.decision(proposal("RUNNING", run_id, on_delay="return"))
    assert (returned["decision"], returned["retry_at"] is None) == ("delay", False)
    waiting = await watcher.decision(proposal("RUNNING", run_id), request_id="waits itself")
    assert waiting["decision"] == "delay"
    [accepted] = await watcher.decisions(1)
    assert accepted["request_id"] == "waits itself"


async def test_a_failed_task_with_retries_left_is_rejected_into_awaiting_retry(
    watcher: Watcher,
) -> None:
    run_id = uuid7()
    policy = {"retries": 1, "retry_delay": 1}
    await watcher.decision(proposal("RUNNING", run_id, create={"policy": policy}))
    rejected = await watcher.decision(proposal("FAILED", run_id, message="boom"))
    assert (rejected["decision"], rejected["code"]) == ("reject", "retry")
    assert rejected["rule"] == "RetryFailedTasks"
    assert (rejected["state"]["name"], rejected["state"]["message"]) == ("AwaitingRetry", "boom")
    delayed = await watcher.decision(proposal("RUNNING", run_id))
    [again] = await watcher.decisions(1) if delayed["decision"] == "delay" else [delayed]
    assert (again["decision"], again["state"]["name"]) == ("accept", "Retrying")
    failed = await watcher.decision(proposal("FAILED", run_id))
    assert (failed["decision"], failed["run"]["run_count"]) == ("accept", 2)


async def test_a_redundant_proposal_is_aborted_and_the_run_told_as_it_stands(
    watcher: Watcher,
) -> None:
    run_id = uuid7()
    await watcher.decision(proposal("RUNNING", run_id, create={}))
    aborted = await watcher.decision(proposal("PENDING", run_id))
    assert (aborted["decision"], aborted["code"]) == ("abort", "redundant")
    assert (aborted["state"], aborted["run"]["state_type"]) == (None, "RUNNING")


async def test_nothing_proposed_is_accepted_with_the_run_as_it_stands(watcher: Watcher) -> None:
    made = await watcher.decision(proposal(None, create={"name": "load"}))
    assert (made["decision"], made["code"]) == ("accept", "nothing-proposed")
    assert (made["run"]["version"], made["run"]["state_id"], made["rules"]) == (0, None, [])


async def test_an_unknown_run_is_aborted(watcher: Watcher) -> None:
    aborted = await watcher.decision(proposal("RUNNING"))
    assert (aborted["decision"], aborted["code"]) == ("abort", "run-not-found")
    assert aborted["run"] is None
    [announced] = await watcher.heard(1)
    assert announced.routing_key.startswith("task.abort.none.")


async def test_a_refused_request_makes_no_run(watcher: Watcher) -> None:
    run_id = uuid7()
    deadline = utc_now() - timedelta(seconds=1)
    late = await watcher.decision(proposal("RUNNING", run_id, create={}, deadline=deadline))
    assert (late["code"], late["run"]) == ("deadline", None)
    stale = await watcher.decision(
        proposal("RUNNING", run_id, create={}, expected_state_id=uuid7())
    )
    assert (stale["code"], stale["run"]) == ("stale", None)
    unknown = await watcher.decision(proposal("RUNNING", run_id))
    assert unknown["code"] == "run-not-found"


async def test_the_expected_state_lets_a_request_pass_only_once(watcher: Watcher) -> None:
    run_id = uuid7()
    running = await watcher.decision(proposal("RUNNING", run_id, create={}))
    expected = running["state"]["id"]
    done = await watcher.decision(proposal("COMPLETED", run_id, expected_state_id=expected))
    assert done["decision"] == "accept"
    stale = await watcher.decision(proposal("FAILED", run_id, expected_state_id=expected))
    assert (stale["decision"], stale["code"]) == ("abort", "stale")


async def test_a_run_of_another_kind_is_not_governed(watcher: Watcher) -> None:
    run_id = uuid7()
    await watcher.decision(proposal("RUNNING", run_id, create={}))
    mismatch = await watcher.decision(proposal("RUNNING", run_id, kind="flow"))
    assert mismatch["code"] == "kind-mismatch"


async def test_force_is_for_permitted_users_that_the_broker_has_checked(
    shared_world: World, watcher: Watcher
) -> None:
    run_id = uuid7()
    await watcher.decision(proposal("COMPLETED", run_id, create={}))
    forbidden = await watcher.decision(proposal("RUNNING", run_id, force=True))
    assert forbidden["code"] == "forbidden"
    forced = await watcher.decision(
        proposal("RUNNING", run_id, force=True), user_id=shared_world.user
    )
    assert (forced["decision"], forced["run"]["state_type"]) == ("accept", "RUNNING")


async def test_a_request_with_a_wrong_routing_key_is_governed_in_its_own_partition(
    watcher: Watcher,
) -> None:
    run_id = UUID(int=uuid7().int | 0xFF)
    request = watcher.request(proposal("RUNNING", run_id, create={}), "lost")
    wrong = type(request)(
        exchange=request.exchange,
        routing_key="FF",
        body=request.body,
        properties=request.properties,
    )
    await watcher.send_all([wrong])
    [accepted] = await watcher.decisions(1)
    assert (accepted["request_id"], accepted["decision"]) == ("lost", "accept")


async def test_a_forced_request_keeps_its_user_on_the_way_to_its_partition(
    shared_world: World, watcher: Watcher
) -> None:
    run_id = UUID(int=uuid7().int | 0xFF)
    body = proposal("RUNNING", run_id, create={}, force=True)
    request = watcher.request(body, "forced", user_id=shared_world.user)
    wrong = type(request)(
        exchange=request.exchange,
        routing_key="FF",
        body=request.body,
        properties=request.properties,
    )
    await watcher.send_all([wrong])
    [accepted] = await watcher.decisions(1)
    assert (accepted["request_id"], accepted["decision"]) == ("forced", "accept")


async def test_each_runs_requests_are_decided_in_their_order(watcher: Watcher) -> None:
    runs = [uuid7() for _ in range(20)]
    steps = ("PENDING", "RUNNING", "COMPLETED")
    await watcher.send_all(
        [
            watcher.request(proposal(step, run, create={}), f"{run}/{step}")
            for step in steps
            for run in runs
        ]
    )
    decided = [content(each) for each in await watcher.heard(60)]
    assert {decision["decision"] for decision in decided} == {"accept"}
    for run in runs:
        own = [each["state"]["type"] for each in decided if each["run"]["id"] == str(run)]
        assert own == list(steps)


async def test_a_task_and_its_flow_may_come_in_any_order(watcher: Watcher) -> None:
    flow_run = uuid7()
    await watcher.decision(proposal("RUNNING", create={"flow_run_id": flow_run}))
    policy = {"retries": 0}
    create = {"name": "nightly", "deployment_id": "d-1", "policy": policy}
    flow = await watcher.decision(proposal("PENDING", flow_run, kind="flow", create=create))
    assert (flow["decision"], flow["run"]["version"]) == ("accept", 1)


async def test_a_reply_queue_that_is_not_permitted_gets_nothing_and_the_exchange_all(
    watcher: Watcher,
) -> None:
    await watcher.send(proposal("RUNNING", create={}), "aimed", reply_to="pointsman.requests.0")
    [announced] = await watcher.heard(1)
    assert content(announced)["decision"] == "accept"
    await watcher.decision(proposal("RUNNING", create={}), request_id="b")
    assert content((await watcher.heard(1))[0])["request_id"] == "b"


async def test_a_reply_queue_that_is_gone_holds_nothing_up(
    watcher: Watcher, consumer: RunningConsumer
) -> None:
    await watcher.send(proposal("RUNNING", create={}), "gone", reply_to="pointsman.replies.gone")
    told = await consumer.event("decision-undelivered")
    assert told["routing_key"] == "pointsman.replies.gone"
    after = await watcher.decision(proposal("RUNNING", create={}))
    assert after["decision"] == "accept"
