"""Decisions on record: the very bytes, and what they ask to be forwarded."""

import pytest

from persistence.begun import (
    BegunKey,
    begun_before,
    count_begun,
    count_failure,
    remember_sender,
    uncount_begun,
)
from persistence.database import Database
from persistence.demands import Demand
from persistence.errors import NotDemandedError
from persistence.records import BegunRecord, Forward
from rules.identifiers import uuid7
from rules.runs import TaskRun
from tests.persistence.records import NOON, make_runs, record_of

BODY = b'{"b":1,"a":  1e400, "c":"\xff\x00"}'


async def test_a_record_comes_back_as_it_was_byte_for_byte(database: Database) -> None:
    run = TaskRun(id=uuid7())
    await make_runs(database, run)
    record = record_of(
        run,
        "a request",
        body=BODY,
        decision="delay",
        code="limit-reached",
        rule="SecureTaskConcurrencySlots",
        retry_at=NOON,
        forward=Forward.DELAY,
        error_type="SomeError",
        error="went wrong",
    )
    async with database.session([Demand(request_id="a request")]) as session:
        assert session.recorded("a request", 0) is None
        session.record(record)
        assert session.recorded("a request", 0) is record

    async with database.session([Demand(request_id="a request")]) as session:
        assert session.recorded("a request", 0) == record


async def test_an_unreadable_request_has_a_record_without_a_run(database: Database) -> None:
    record = record_of(None, "unreadable", proposed_type=None, user_id=None)
    async with database.session([Demand(request_id="unreadable")]) as session:
        session.record(record)

    async with database.session([Demand(request_id="unreadable")]) as session:
        assert session.recorded("unreadable", 0) == record


async def test_a_request_without_an_id_needs_nothing(database: Database) -> None:
    async with database.session([Demand(), Demand()]) as session:
        with pytest.raises(NotDemandedError):
            session.recorded("", 0)


async def test_what_was_forwarded_is_marked_so(database: Database) -> None:
    records = [record_of(None, "a", number, forward=Forward.DELAY) for number in range(3)]
    async with database.session([]) as session:
        for record in records:
            session.record(record)
    async with database.session([]) as session:
        session.mark_forwarded([("a", 0), ("a", 2), ("unknown", 0)])

    demand = Demand(request_id="a", attempt=2, from_ladder=True)
    async with database.session([demand]) as session:
        found = [session.recorded("a", number) for number in range(3)]
    assert [record.forwarded for record in found if record] == [True, False, True]


async def test_a_request_from_the_ladder_has_the_attempts_before_it_at_hand(
    database: Database,
) -> None:
    async with database.session([]) as session:
        for number in range(5):
            session.record(record_of(None, "a", number))

    demands = [Demand(request_id="a", attempt=4, from_ladder=True), Demand(request_id="b")]
    async with database.session(demands) as session:
        found = {number: session.recorded("a", number) for number in (0, 3, 4)}
        assert all(record and record.attempt == number for number, record in found.items())
        assert session.recorded("b", 0) is None
        with pytest.raises(NotDemandedError):
            session.recorded("b", 7)


def key(attempt: int = 0, user_id: str | None = "producer") -> BegunKey:
    return BegunKey(
        request_id="a",
        attempt=attempt,
        run_id=RUN_ID,
        body_sha256=b"digest",
        user_id=user_id,
    )


RUN_ID = uuid7()


async def test_begun_and_failed_attempts_are_counted_each_by_itself(database: Database) -> None:
    await count_begun(database, {key(): 2, key(1): 1}, NOON)
    counted = await count_failure(database, key(), NOON)
    other = await count_failure(database, key(1), NOON)

    assert (counted.begun, counted.failures) == (2, 1)
    assert (other.begun, other.failures) == (1, 1)


async def test_the_first_count_says_who_sent_the_request(database: Database) -> None:
    await remember_sender(database, key(user_id="first"), NOON)
    await remember_sender(database, key(user_id="second"), NOON)
    counted = await count_failure(database, key(user_id="third"), NOON)

    expected = BegunRecord(
        request_id="a",
        attempt=0,
        run_id=RUN_ID,
        body_sha256=b"digest",
        user_id="first",
        begun=0,
        failures=1,
    )
    assert counted == expected
    demand = Demand(request_id="a", attempt=1, from_ladder=True)
    async with database.session([demand]) as session:
        assert session.begun("a", 0) == expected
        assert session.begun("a", 1) is None
        with pytest.raises(NotDemandedError):
            session.begun("a", 2)


async def test_what_is_begun_is_counted_and_taken_back_once_however_often_that_is_said(
    database: Database,
) -> None:
    asked = [("a", 0), ("a", 1), ("a", 2)]
    await count_begun(database, {key(): 1}, NOON)
    for _ in range(2):
        await count_begun(database, {key(1): 1, key(): 2}, NOON)
        assert await begun_before(database, asked) == {("a", 0): 2, ("a", 1): 1}
    for _ in range(2):
        await uncount_begun(database, {key(): 2, key(1): 1, key(2): 1}, NOON)
        assert await begun_before(database, asked) == {("a", 0): 1}


async def test_a_count_that_another_consumer_has_gone_beyond_stays(database: Database) -> None:
    await count_begun(database, {key(): 2}, NOON)
    await count_begun(database, {key(): 1}, NOON)
    assert await begun_before(database, [("a", 0)]) == {("a", 0): 2}
