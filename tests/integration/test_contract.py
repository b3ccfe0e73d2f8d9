"""A producer in another library and language of thought: the contract, field by field."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest

from tests.integration.processes import consuming
from tests.integration.world import World

WAIT_SECONDS = 60


def ask_with_pika(url: str, body: dict[str, Any]) -> tuple[Any, Any]:
    """Publish one request; the reply and the announcement, each with key, properties and body."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    queues = [channel.queue_declare("", exclusive=True).method.queue for _ in range(2)]
    channel.queue_bind(queues[1], "pointsman.decisions", "#")
    properties = pika.BasicProperties(
        message_id="request-1",
        correlation_id="mine",
        reply_to=queues[0],
        content_type="application/json",
        type="pointsman.request.v1",
        delivery_mode=2,
        headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    )
    channel.basic_publish(
        "pointsman.requests", body["run"]["id"][-2:], json.dumps(body).encode(), properties
    )
    heard = []
    for queue in queues:
        for method, header, content in channel.consume(
            queue, auto_ack=True, inactivity_timeout=WAIT_SECONDS
        ):
            assert method is not None, "no decision came"
            assert content is not None
            heard.append((method, header, json.loads(content)))
            break
        channel.cancel()
    connection.close()
    return heard[0], heard[1]


@pytest.fixture
def request_body() -> dict[str, Any]:
    run_id, flow_run_id = str(uuid4()), str(uuid4())
    return {
        "run": {"kind": "task", "id": run_id},
        "create": {"flow_run_id": flow_run_id, "name": "extract", "policy": {"retries": 2}},
        "state": {"type": "RUNNING", "timestamp": "2026-01-01T00:00:00Z", "data": {"rows": 3}},
    }


async def test_a_request_of_another_client_is_answered_field_by_field(
    world: World, request_body: dict[str, Any]
) -> None:
    run_id = request_body["run"]["id"]
    async with consuming(**world.settings):
        reply, announced = await asyncio.to_thread(ask_with_pika, world.amqp_url, request_body)

    (_, properties, decision), (method, other_properties, other) = reply, announced
    assert decision == other
    assert method.routing_key == f"task.accept.running.{run_id}"
    for each in (properties, other_properties):
        assert each.correlation_id == "mine"
        assert each.type == "pointsman.decision.v1"
        assert each.content_type == "application/json"
        assert each.delivery_mode == 2
        assert each.headers["traceparent"].startswith("00-0af7651916cd43dd")
    assert properties.message_id != other_properties.message_id

    assert UUID(decision["state"]["id"]).version == 7
    assert decision["decided_at"].endswith("Z")
    assert decision == expected_decision(request_body, decision)
    assert "PreventRedundantTransitions" in decision["rules"]
    assert "RenameReruns" in decision["rules"]


def expected_decision(request_body: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """The decision on the request, with what only the consumer can know taken from ``made``."""
    return {
        "request_id": "request-1",
        "attempt": 0,
        "decision": "accept",
        "code": None,
        "reason": None,
        "delay_seconds": None,
        "retry_at": None,
        "state": expected_state(request_body, made["state"]["id"]),
        "run": {
            "kind": "task",
            "id": request_body["run"]["id"],
            "version": 1,
            "state_id": made["state"]["id"],
            "state_type": "RUNNING",
            "state_name": "Running",
            "state_timestamp": "2026-01-01T00:00:00Z",
            "run_count": 1,
            "flow_run_run_count": 0,
            "start_time": "2026-01-01T00:00:00Z",
            "end_time": None,
            "total_run_time": 0.0,
            "expected_start_time": "2026-01-01T00:00:00Z",
            "next_scheduled_start_time": None,
        },
        "also_changed": [],
        "rule": None,
        "rules": made["rules"],
        "decided_at": made["decided_at"],
    }


def expected_state(request_body: dict[str, Any], state_id: str) -> dict[str, Any]:
    return {
        "id": state_id,
        "type": "RUNNING",
        "name": "Running",
        "timestamp": "2026-01-01T00:00:00Z",
        "message": None,
        "data": {"rows": 3},
        "state_details": {
            "flow_run_id": request_body["create"]["flow_run_id"],
            "task_run_id": request_body["run"]["id"],
            "child_flow_run_id": None,
            "scheduled_time": None,
            "cache_key": None,
            "cache_expiration": None,
            "untrackable_result": False,
        },
    }
