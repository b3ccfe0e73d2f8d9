"""What careless producers send, and how a running consumer answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from persistence.database import open_database
from persistence.schema import DeadLetterRow, table_of
from tests.integration.processes import consuming
from tests.integration.world import World, content, proposal, watching

MOST_BYTES = 10_000
LETTER = table_of(DeadLetterRow).c


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request with something odd about it; ``says`` is in the reason of those that are refused.

    ``changed`` are keys of the body, or a whole body as bytes.
    """

    properties: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] | bytes = field(default_factory=dict)
    says: str | None = None

    def body(self) -> Any:
        if isinstance(self.changed, bytes):
            return self.changed
        return {**proposal("RUNNING", create={}), **self.changed}


def headers(**values: Any) -> dict[str, Any]:
    return {"headers": {name.replace("_", "-"): value for name, value in values.items()}}


def state(**values: Any) -> dict[str, Any]:
    return {"state": {"type": "RUNNING", **values}}


ODD_VALUES = [None, True, 2**62, -1, 1.5, b"\xff", datetime(9999, 1, 1, tzinfo=UTC)]
DEATH = {"count": 3, "reason": "expired", "queue": "q", "exchange": "", "routing-keys": ["x"]}

CASES: dict[str, Case] = {
    "another content type": Case(
        properties={"content_type": "text/plain"}, says="content type 'text/plain'"
    ),
    "another encoding": Case(properties={"content_encoding": "gzip"}, says="'gzip' is not read"),
    "another type": Case(
        properties={"type": "pointsman.request.v2"}, says="the type 'pointsman.request.v2'"
    ),
    "no JSON": Case(changed=b"not json", says="Invalid JSON"),
    "no body": Case(changed=b"", says="Invalid JSON"),
    "another encoding of text": Case(changed="{}".encode("utf-16"), says="Invalid JSON"),
    "too large": Case(changed=b" " * (MOST_BYTES + 1), says=f"{MOST_BYTES + 1} bytes"),
    "too deep": Case(changed=b"[" * 5_000, says="recursion limit"),
    "a key twice": Case(changed=b'{"run": 1, "run": 2}', says="run: Input should be an object"),
    "a NUL": Case(changed=state(name="a\0b"), says="NUL"),
    "an infinite number": Case(changed=state(data=math.inf), says="finite"),
    "a time without a zone": Case(changed=state(timestamp="2026-01-01T00:00:00"), says="timezone"),
    "an unknown key": Case(changed={"\x1b[2J": 1}, says=r"\x1b[2J: Extra inputs"),
    "no id": Case(properties={"message_id": None}, says="message_id is missing"),
    "an id with a NUL": Case(properties={"message_id": "a\0b"}, says="no NUL"),
    "an absurd priority": Case(properties={"priority": 255}),
    "a long expiration": Case(properties={"expiration": "4294967295"}),
    "an absurd timestamp": Case(properties={"timestamp": datetime(9999, 1, 1, tzinfo=UTC)}),
    "ids of 255 bytes": Case(properties={"correlation_id": "é" * 127, "app_id": "x" * 255}),
    "headers of all kinds": Case(properties=headers(odd=ODD_VALUES, deep={"a": {"b": [{}]}})),
    "trace headers of another kind": Case(properties=headers(traceparent=7, tracestate=b"\xff")),
    "headers as a broker buries with": Case(
        properties=headers(x_death=[DEATH], x_delivery_count=9)
    ),
    "an attempt that never was": Case(
        properties=headers(pointsman_request_id="another's", pointsman_attempt=2**62)
    ),
    "absurd headers of our own": Case(
        properties=headers(
            pointsman_attempt=ODD_VALUES, pointsman_failures=-1, pointsman_original=b"\xff" * 20_000
        )
    ),
    "headers of a dead letter": Case(
        properties=headers(pointsman_dead_reason="failed", pointsman_dead_id="x" * 5_000)
    ),
    "a copy for another partition": Case(properties=headers(CC=["00", "01", "02"], BCC=["03"])),
}


async def test_each_is_decided_and_kept_as_a_dead_letter_where_it_is_refused(
    world: World,
) -> None:
    settings = world.settings | {"max_body_bytes": str(MOST_BYTES)}
    async with consuming(**settings) as consumer, watching(world.amqp_url) as watcher:
        for name, case in CASES.items():
            sent = {"correlation_id": name, **case.properties}
            await watcher.send_all([watcher.request(case.body(), f"id of {name}", **sent)])
        copies = 2  # of the one for all three partitions
        replies = await watcher.replied(len(CASES) + copies)
        await watcher.decision(proposal("RUNNING", create={}))
        reasons = await letters_on_record(
            world, sum(case.says is not None for case in CASES.values())
        )
        for event in ("broker-away", "batch-failed", "hook-failed", "message-buried"):
            assert consumer.told(event) == []
    decisions = {reply.properties.correlation_id: content(reply) for reply in replies}
    for name, case in CASES.items():
        decision = decisions[case.properties.get("correlation_id", name)]
        if case.says is None:
            assert decision["decision"] == "accept", (name, decision)
            continue
        assert (decision["decision"], decision["code"]) == ("abort", "invalid"), (name, decision)
        assert case.says in decision["reason"], (name, decision)
        assert decision["reason"] in reasons


async def test_a_request_that_has_expired_is_aborted_with_what_the_broker_says(
    world: World,
) -> None:
    async with watching(world.amqp_url) as watcher:
        await watcher.send(proposal("RUNNING", create={}), "late", expiration="0")
        async with consuming(**world.settings):
            [decision] = await watcher.decisions(1)
            [error] = await letters_on_record(world, 1)
    assert (decision["request_id"], decision["code"]) == ("late", "failed")
    assert "expired" in error


async def letters_on_record(world: World, count: int) -> list[str]:
    """What the dead letters say, once so many are on record."""
    async with open_database(world.database_url) as database:
        while True:
            async with database.reading() as connection:
                found = (await connection.scalars(select(LETTER.error))).all()
            if len(found) >= count:
                return list(found)
