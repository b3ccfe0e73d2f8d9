import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from consumer.wire.decisions import (
    Decision,
    RunSummary,
    Verdict,
    identity,
    message_id,
    routing_key,
    routing_keys,
)
from rules.runs import FlowRun, RunKind, TaskRun
from rules.states import Running, StateType
from tests.consumer.wire.messages import RUN

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARENT = UUID("0190b9b0-7d0a-7c2f-8f57-0000000000aa")

RUN_KEYS = [
    "kind",
    "id",
    "version",
    "state_id",
    "state_type",
    "state_name",
    "state_timestamp",
    "run_count",
    "flow_run_run_count",
    "start_time",
    "end_time",
    "total_run_time",
    "expected_start_time",
    "next_scheduled_start_time",
]
DECISION_KEYS = [
    "request_id",
    "attempt",
    "decision",
    "code",
    "reason",
    "delay_seconds",
    "retry_at",
    "state",
    "run",
    "also_changed",
    "rule",
    "rules",
    "decided_at",
]


def sent(**fields: Any) -> dict[str, Any]:
    basics: dict[str, Any] = {"request_id": "r-1", "attempt": 0, "decision": Verdict.ACCEPT}
    decision = Decision(**{**basics, "decided_at": AT, **fields})
    told: dict[str, Any] = json.loads(decision.to_bytes())
    return told


def test_a_decision_has_every_key_of_the_contract_and_null_where_there_is_nothing() -> None:
    told = sent()
    assert list(told) == DECISION_KEYS
    assert (told["also_changed"], told["rules"], told["state"], told["run"]) == ([], [], None, None)


def test_times_are_told_in_utc() -> None:
    assert sent()["decided_at"] == "2026-01-01T12:00:00Z"


def test_the_state_is_told_whole() -> None:
    state = Running(timestamp=AT, data={"rows": [1, 2]})
    told = sent(state=state)["state"]
    assert list(told) == ["id", "type", "name", "timestamp", "message", "data", "state_details"]
    assert told["id"] == str(state.id)
    assert told["data"] == {"rows": [1, 2]}
    assert set(told["state_details"]) == {
        "flow_run_id",
        "task_run_id",
        "child_flow_run_id",
        "scheduled_time",
        "cache_key",
        "cache_expiration",
        "untrackable_result",
    }


def test_a_task_run_is_told_whole() -> None:
    run = TaskRun(id=RUN, state=Running(timestamp=AT), version=3, flow_run_run_count=2)
    told = sent(run=RunSummary.of(run))["run"]
    assert list(told) == RUN_KEYS
    assert run.state is not None
    assert (told["state_id"], told["version"]) == (str(run.state.id), 3)
    assert told["flow_run_run_count"] == 2


def test_a_flow_run_has_no_count_of_its_flow_run() -> None:
    assert RunSummary.of(FlowRun(id=RUN)).flow_run_run_count is None


def test_the_routing_key_says_kind_decision_state_and_run() -> None:
    key = routing_key(RunKind.TASK, Verdict.ACCEPT, StateType.RUNNING, RUN)
    assert key == f"task.accept.running.{RUN}"


def test_where_nothing_was_written_the_routing_key_says_none() -> None:
    assert routing_key(RunKind.FLOW, Verdict.ABORT, None, RUN) == f"flow.abort.none.{RUN}"


def test_an_unreadable_request_has_a_routing_key_too() -> None:
    assert routing_key(None, Verdict.ABORT, None, None) == "none.abort.none.none"


def test_a_recorded_decision_is_announced_under_the_key_of_each_run_it_changed() -> None:
    parent = TaskRun(id=PARENT, state_type=StateType.RUNNING)
    decision = Decision(
        request_id="r-1",
        attempt=0,
        decision=Verdict.ACCEPT,
        state=Running(),
        run=RunSummary.of(FlowRun(id=RUN)),
        also_changed=(RunSummary.of(parent),),
        decided_at=AT,
    )
    announced = list(routing_keys(decision.to_bytes(), RunKind.FLOW, RUN))
    assert [key for _, key in announced] == [
        f"flow.accept.running.{RUN}",
        f"task.accept.running.{PARENT}",
    ]
    assert len({purpose for purpose, _ in announced}) == 2


def test_the_message_id_is_the_same_whenever_the_decision_is_published_again() -> None:
    assert message_id(identity("r-1", 0), "reply") == message_id(identity("r-1", 0), "reply")


def test_reply_and_announcement_of_one_decision_have_different_message_ids() -> None:
    assert message_id(identity("r-1", 0), "reply") != message_id(identity("r-1", 0), "exchange")


def test_attempts_of_one_request_have_different_message_ids() -> None:
    assert message_id(identity("r-1", 0), "reply") != message_id(identity("r-1", 1), "reply")


def test_refused_reuses_of_one_id_have_different_message_ids() -> None:
    first, second = identity("r-1", None, b"a"), identity("r-1", None, b"b")
    assert message_id(first, "reply") != message_id(second, "reply")
