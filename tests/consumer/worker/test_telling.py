"""Outcomes are counted as what they are; what is logged of them is tried by running consumers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from consumer.broker.messages import Outgoing, Properties
from consumer.health.metrics import Metrics
from consumer.health.readiness import Readiness
from consumer.topology.names import DEAD_LETTERS, REQUESTS, delay_exchange
from consumer.wire.decisions import Verdict
from consumer.worker.outcomes import Answer, Outcome
from consumer.worker.telling import Telling
from rules.runs import RunKind
from tests.consumer.health.scrapes import Samples, samples
from tests.consumer.wire.messages import read
from tests.consumer.worker.governors import START, Clock

ACCEPTED = Answer(body=b"{}", identity="r-1", verdict=Verdict.ACCEPT, code=None, kind=RunKind.TASK)
DELAYED = replace(ACCEPTED, verdict=Verdict.DELAY, code="scheduled")
ABORTED = replace(ACCEPTED, verdict=Verdict.ABORT, code="failed")


def to(exchange: str) -> Outgoing:
    return Outgoing(exchange=exchange, routing_key="", body=b"", properties=Properties())


def outcome(
    answer: Answer | None = ACCEPTED, forward: str | None = None, **properties: object
) -> Outcome:
    return Outcome(
        envelope=read(**properties).envelope,
        answer=answer,
        forward=to(forward) if forward else None,
    )


def told(outcomes: Sequence[Outcome], *, redelivered: bool = False) -> Samples:
    """What is counted when these were taken a second after the start, and decided in another."""
    metrics, clock = Metrics(Readiness()), Clock(START + timedelta(seconds=2))
    deliveries = [replace(each.envelope.delivery, redelivered=redelivered) for each in outcomes]
    Telling(metrics.governing, clock).settled(deliveries, outcomes, START + timedelta(seconds=1))
    return samples(metrics.text().decode())


def test_decisions_alike_are_counted_together() -> None:
    counted = told([outcome(), outcome(ABORTED, DEAD_LETTERS), outcome()])
    name = "pointsman_decisions_total"
    assert counted[f'{name}{{code="none",decision="accept",kind="task"}}'] == 2
    assert counted[f'{name}{{code="failed",decision="abort",kind="task"}}'] == 1
    assert counted["pointsman_batch_messages_sum"] == 3


def test_one_that_is_repeated_was_counted_when_it_was_made() -> None:
    again = outcome(replace(ACCEPTED, repeated=True), timestamp=START)
    counted = told([again], redelivered=True)
    assert not [name for name in counted if name.startswith("pointsman_decisions_total")]
    assert counted["pointsman_decisions_repeated_total"] == 1
    assert counted["pointsman_redelivered_total"] == 1
    assert counted["pointsman_queue_seconds_count"] == 0


def test_a_request_with_a_timestamp_tells_how_old_it_was() -> None:
    counted = told([outcome(timestamp=START), outcome()])
    assert counted["pointsman_queue_seconds_sum"] == 1
    assert counted["pointsman_decision_seconds_sum"] == 2
    assert counted["pointsman_decision_seconds_count"] == 1


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (outcome(DELAYED, delay_exchange(5)), "delay"),
        (outcome(DELAYED, REQUESTS), "delay"),
        (outcome(None, delay_exchange(1)), "failure"),
        (outcome(None, REQUESTS), "moved"),
        (outcome(None, DEAD_LETTERS), None),
        (outcome(ABORTED, DEAD_LETTERS), None),
        (outcome(), None),
    ],
)
def test_what_comes_again_is_counted_by_its_cause(sent: Outcome, cause: str | None) -> None:
    counted = told([sent])
    rounds = {
        name: count for name, count in counted.items() if name.startswith("pointsman_sent_round")
    }
    expected = {f'pointsman_sent_round_total{{cause="{cause}"}}': 1} if cause else {}
    assert {name: count for name, count in rounds.items() if count} == expected


def test_a_reply_to_that_is_refused_is_counted() -> None:
    assert told([outcome(reply_to="others.queue")])["pointsman_replies_refused_total"] == 1
