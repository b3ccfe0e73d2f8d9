from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.broker.messages import Delivery, Properties
from consumer.wire.body import OnDelay
from consumer.wire.requests import Unreadable
from rules.runs import FlowRun, RunPolicy, TaskRun
from rules.states import StateType
from tests.consumer.wire.messages import READER, RUN, body, delivery, read, refused

FLOW = "0190b9b0-7d0a-7c2f-8f57-0000000000ff"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_request_needs_no_more_than_a_run_and_a_state() -> None:
    request = read()
    assert (request.request_id, request.run_id, request.kind.value) == ("r-1", RUN, "task")
    assert request.body.on_delay is OnDelay.RETRY
    assert request.envelope.correlation_id == "r-1"
    assert request.body.new_run is None


def test_a_state_without_name_and_time_gets_the_defaults_and_an_id_of_its_own() -> None:
    proposed = read().body.state
    assert proposed is not None
    state = proposed.to_state(NOW)
    assert (state.type, state.name, state.timestamp) == (StateType.RUNNING, "Running", NOW)
    assert state.id != proposed.to_state(NOW).id


def test_a_scheduled_state_without_a_time_is_due_at_once() -> None:
    proposed = read(body(state={"type": "SCHEDULED"})).body.state
    assert proposed is not None
    assert proposed.to_state(NOW).state_details.scheduled_time == NOW


def test_a_time_with_any_offset_is_kept_in_utc() -> None:
    state = {"type": "RUNNING", "timestamp": "2026-01-01T02:00:00+02:00"}
    proposed = read(body(state=state)).body.state
    assert proposed is not None
    assert proposed.timestamp == NOW
    assert proposed.timestamp.utcoffset() == NOW.utcoffset()


def test_null_proposes_nothing() -> None:
    assert read(body(state=None)).body.state is None


def test_create_describes_a_task_run() -> None:
    create = {
        "flow_run_id": FLOW,
        "name": "extract",
        "tags": ["db", "db", "gpu"],
        "policy": {"retries": 2, "retry_delay": 10},
        "task_key": "etl.extract",
        "dynamic_key": "0",
    }
    run = read(body(create=create)).body.new_run
    assert isinstance(run, TaskRun)
    assert (run.id, str(run.flow_run_id), run.tags) == (RUN, FLOW, ("db", "gpu"))
    assert run.policy == RunPolicy(retries=2, retry_delay=10)


def test_create_describes_a_flow_run() -> None:
    create = {"deployment_id": "nightly", "parent_task_run_id": FLOW}
    run = read(body(run={"kind": "flow", "id": str(RUN)}, create=create)).body.new_run
    assert isinstance(run, FlowRun)
    assert (run.deployment_id, str(run.parent_task_run_id)) == ("nightly", FLOW)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Invalid JSON"),
        (b"not json", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b"null", "Input should be an object"),
        ({"run": {"kind": "task", "id": str(RUN)}}, "state: Field required"),
        ({"state": None}, "run: Field required"),
        (body(extra=1), "extra: Extra inputs"),
        (body(state={"type": "RUNNING", "id": str(RUN)}), "state.id: Extra inputs"),
        (body(state={"type": "RUNNING", "state_details": {"x": 1}}), "state.state_details.x"),
        (body(state={"type": "ASLEEP"}), "state.type"),
        (body(state={"type": "running"}), "state.type"),
        (body(state={"type": "RUNNING", "timestamp": "2026-01-01T00:00:00"}), "timezone"),
        (body(state={"type": "RUNNING", "timestamp": 17}), "state.timestamp"),
        (body(state={"type": "RUNNING", "timestamp": "20260101"}), "such as 2026"),
        (body(state={"type": "RUNNING", "timestamp": "0001-01-01T00:00:00+05:00"}), "years"),
        (body(run={"kind": "job", "id": str(RUN)}), "run.kind"),
        (body(run={"kind": "task", "id": "17"}), "run.id"),
        (body(force="yes"), "force"),
        (body(on_delay="wait"), "on_delay"),
        (body(deadline="tomorrow"), "deadline"),
        (body(expected_state_id=1), "expected_state_id"),
        (body(create={"deployment_id": "nightly"}), "create.deployment_id: Extra inputs"),
        (body(create={"policy": {"retries": -1}}), "create.policy.retries"),
        (body(create={"tags": [""]}), "create.tags"),
        (body(state={"type": "RUNNING", "data": "a\0b"}), "NUL"),
        (body(state={"type": "RUNNING", "data": {"a\0": 1}}), "NUL"),
        (body(parameters={"deep": ["\0"]}), "NUL"),
        (b'{"run": %s, "state": {"type": "RUNNING", "data": [1e999]}}', "finite"),
        (b'{"run": %s, "state": {"type": "RUNNING", "data": NaN}}', "finite"),
        (b'{"run": %s, "state": null, "parameters": {"a": -Infinity}}', "finite"),
        (b'{"run": %s, "state": null, "force": true, "force": false}', "'force' comes twice"),
        (b'\xef\xbb\xbf{"run": %s, "state": null}', "Invalid JSON"),
        (b'{"run": %s, "state": null}'.decode().encode("utf-16"), "Invalid JSON"),
        (b'{"run": %s, "state": {"type": "RUNNING", "data": "\\ud800"}}', "Invalid JSON"),
        (b'{"run": %s, "state": {"type": "RUNNING", "data": ' + b"[" * 5000 + b"]}}", "recursion"),
        (body(state={"type": "RUNNING", "data": "x" * 100_000}), "bytes"),
        (body(state={"type": "RUNNING", "state_details": {"cache_key": "k" * 2001}}), "2000"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(content: Any, said: str) -> None:
    if isinstance(content, bytes):
        content = content.replace(b"%s", b'{"kind":"task","id":"%s"}' % str(RUN).encode())
    assert said in refused(content)


def test_a_nul_that_is_only_spelled_out_is_no_nul() -> None:
    read(body(state={"type": "RUNNING", "data": "\\u0000"}))


def test_a_refusal_names_the_first_problems_and_counts_the_others() -> None:
    reason = refused(body(a=1, b=2, c=3, d=4, e=5))
    assert reason.endswith("and 2 more")


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"message_id": None}, "message_id is missing"),
        ({"message_id": "a\0"}, "NUL"),
        ({"message_id": "a" * 256}, "255"),
        ({"type": "pointsman.request.v2"}, "pointsman.request.v1"),
        ({"content_type": "text/plain"}, "application/json"),
        ({"content_encoding": "gzip"}, "gzip"),
    ],
)
def test_wrong_properties_are_refused_with_the_reason(
    properties: dict[str, Any], said: str
) -> None:
    assert said in refused(**properties)


@pytest.mark.parametrize(
    "properties",
    [
        {"type": None},
        {"type": "pointsman.request.v1"},
        {"content_type": "application/json; charset=utf-8"},
        {"content_encoding": "utf-8"},
    ],
)
def test_properties_that_say_no_more_than_is_taken_for_granted_are_fine(
    properties: dict[str, Any],
) -> None:
    read(**properties)


def test_a_message_whose_header_could_not_be_decoded_has_no_request_id() -> None:
    raw = Delivery(
        body=b"{}",
        properties=Properties(),
        exchange="",
        routing_key="",
        redelivered=False,
        tag=1,
        raw_header=b"\x00",
    )
    reading = READER.read(raw)
    assert isinstance(reading, Unreadable)
    assert reading.envelope.request_id is None
    assert "decoded" in reading.reason


@pytest.mark.parametrize("name", ["amq.gen-xyz", "pointsman.replies.a", "amq.rabbitmq.reply-to.g"])
def test_a_permitted_reply_queue_is_answered(name: str) -> None:
    envelope = read(reply_to=name).envelope
    assert (envelope.reply_to, envelope.reply_refused) == (name, False)


@pytest.mark.parametrize("name", ["pointsman.requests.0", "Pointsman.replies.a", "others"])
def test_another_reply_queue_is_not(name: str) -> None:
    envelope = read(reply_to=name).envelope
    assert (envelope.reply_to, envelope.reply_refused) == (None, True)


def test_a_user_with_a_nul_is_nobody() -> None:
    assert read(user_id="joe").envelope.user_id == "joe"
    assert read(user_id="jo\0e").envelope.user_id is None


@pytest.mark.parametrize("claimed", ["1", -1, 2**40, 1.5, None, True])
def test_an_absurd_claim_to_an_attempt_is_none(claimed: object) -> None:
    absurd = {"pointsman-attempt": claimed}
    attempt = READER.read(delivery(headers=absurd)).envelope.claimed_attempt
    assert attempt == (1 if claimed is True else 0)


def test_trace_headers_are_taken_along_unless_absurd() -> None:
    headers = {"traceparent": "00-abc-def-01", "tracestate": "x" * 5000, "other": 1}
    assert read(headers=headers).envelope.trace == {"traceparent": "00-abc-def-01"}
