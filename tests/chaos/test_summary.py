from datetime import UTC, datetime, timedelta
from uuid import UUID

from persistence.records import BegunRecord, DecisionRecord, Forward
from tests.chaos.history import EVERYTHING, Heard, History, Rows, Sent
from tests.chaos.summary import Summary

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sent(request_id: str, copies: int, *, confirmed: bool = True) -> Sent:
    return Sent(
        request_id=request_id,
        run_id=None,
        kind=None,
        body=b"",
        lane=0,
        position=0,
        confirmed=confirmed,
        copies=copies,
    )


def decision(request_id: str, attempt: int, verdict: str, seconds: float) -> DecisionRecord:
    return DecisionRecord(
        request_id=request_id,
        attempt=attempt,
        run_id=None,
        run_kind=None,
        body_sha256=b"",
        user_id=None,
        proposed_type=None,
        decision=verdict,
        code="scheduled" if verdict == "delay" else None,
        rule=None,
        body=b"",
        decided_at=NOON + timedelta(seconds=seconds),
        retry_at=None,
        forward=Forward.NONE,
    )


def heard(message_id: str, subscription: str = EVERYTHING) -> Heard:
    return Heard(
        subscription=subscription,
        routing_key="",
        message_id=message_id,
        correlation_id=None,
        body=b"",
        at=0,
    )


def history() -> History:
    failed = BegunRecord(
        request_id="a",
        attempt=0,
        run_id=UUID(int=1),
        body_sha256=b"",
        user_id=None,
        begun=1,
        failures=2,
    )
    decisions = [
        decision("b", 0, "accept", 100),
        decision("a", 0, "delay", 0),
        decision("a", 1, "accept", 30),
    ]
    return History(
        sent=[sent("a", 3), sent("b", 1, confirmed=False)],
        heard=[heard("1"), heard("1"), heard("1", "replies"), heard("2")],
        rows=Rows(decisions=decisions, begun=[failed]),
        queues={},
    )


def test_a_summary_counts() -> None:
    assert Summary.of(history()) == Summary(
        requests=2,
        copies=4,
        unconfirmed=1,
        decisions={("delay", "scheduled"): 1, ("accept", None): 2},
        attempts={1: 1, 2: 1},
        failures=2,
        heard=4,
        duplicates=1,
        longest_gap=70.0,
        span=100.0,
    )


def test_it_is_told_in_a_few_lines() -> None:
    assert str(Summary.of(history())).splitlines() == [
        "2 requests in 4 copies, 1 never confirmed",
        "3 decisions in 100.0 s, at the longest none for 70.0 s",
        "          2 accept",
        "          1 delay, scheduled",
        "requests by attempts: 1: 1, 2: 1; 2 failures",
        "4 messages heard, 1 of them duplicates",
    ]


def test_where_nothing_happened_there_are_noughts() -> None:
    summary = Summary.of(History(sent=[], heard=[], rows=Rows(), queues={}))
    assert (summary.requests, summary.longest_gap, summary.span) == (0, 0.0, 0.0)
    assert "requests by attempts: none; 0 failures" in str(summary)
