import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.broker.confirms import Outcome
from consumer.broker.errors import PublishUnanswered
from consumer.broker.messages import Outgoing
from consumer.broker.publisher import Publisher
from consumer.dead_letters.replaying import ReplayWriter, replay
from persistence.database import Database, open_database
from persistence.dead_letters.changing import edit_letter
from persistence.dead_letters.filters import LetterFilter
from persistence.dead_letters.listing import choose_letters
from persistence.dead_letters.replaying import Replay
from persistence.dead_letters.values import FullLetter
from persistence.schema import LetterStatus
from rules.identifiers import uuid7
from rules.runs import RunKind
from tests.consumer.wire.messages import READER, RUN, body, delivery
from tests.consumer.worker.governors import migrated
from tests.persistence.dead_letters.letters import of_request, statuses
from tests.persistence.records import record_letters

AT = datetime(2026, 1, 1, tzinfo=UTC)
WRITER = ReplayWriter(READER, "operator")
BODY = delivery().body
HEADERS = {
    "traceparent": "00-a-b-01",
    "pointsman-original": '{"user_id":"joe"}',
    "pointsman-attempt": 7,
    "stray": "x",
}


def replay_of(request_id: str = "r-1", attempt: int = 1, **told: Any) -> Replay:
    fields: dict[str, Any] = {
        "id": uuid7(),
        "letter_id": "l",
        "status": LetterStatus.REPLAYING,
        "reason": "rule-error",
        "dead_at": AT,
        "recorded_at": AT,
        "closed_at": None,
        "request_id": "r-1",
        "attempt": 0,
        "run_kind": RunKind.TASK,
        "run_id": RUN,
        "body": BODY,
        "properties": {"reply_to": "amq.gen-1", "correlation_id": "c-1", "headers": HEADERS},
    }
    letter = FullLetter(**fields | told)
    return Replay(letter=letter, request_id=request_id, attempt=attempt)


def edited(**changes: Any) -> Outgoing:
    new = delivery(body(**changes)).body
    told: dict[str, Any] = {"edited_body": new, "edited_at": AT}
    return WRITER.message(replay_of("new", 0, **told))


def test_a_replay_is_the_request_as_a_consumer_sends_it_round() -> None:
    sent = WRITER.message(replay_of(attempt=3))
    assert (sent.exchange, sent.routing_key, sent.body) == ("pointsman.requests", "ab", BODY)
    assert (sent.properties.message_id, sent.properties.user_id) == ("r-1", None)
    assert (sent.properties.reply_to, sent.properties.correlation_id) == ("amq.gen-1", "c-1")
    assert sent.properties.headers == {
        "traceparent": "00-a-b-01",
        "pointsman-original": '{"user_id":"joe"}',
        "pointsman-request-id": "r-1",
        "pointsman-attempt": 3,
        "pointsman-failures": 0,
    }


def test_a_letter_without_a_run_is_sent_without_a_routing_key() -> None:
    assert WRITER.message(replay_of(run_id=None)).routing_key == ""


@pytest.mark.parametrize("properties", [{}, {"headers": []}, {"reply_to": 7, "headers": {}}])
def test_a_letter_without_its_properties_is_sent_without_them(properties: dict[str, Any]) -> None:
    sent = WRITER.message(replay_of(properties=properties))
    assert (sent.properties.reply_to, sent.properties.type) == (None, None)
    assert sent.properties.headers["pointsman-attempt"] == 1


def test_an_edited_letter_is_a_request_that_nobody_has_sent_before() -> None:
    sent = edited()
    assert (sent.properties.message_id, sent.routing_key) == ("new", "ab")
    assert (sent.properties.type, sent.properties.content_type) == (
        "pointsman.request.v1",
        "application/json",
    )
    assert (sent.properties.reply_to, sent.properties.correlation_id) == ("amq.gen-1", "c-1")
    assert sent.properties.headers == {"traceparent": "00-a-b-01"}


def test_only_an_edited_letter_that_forces_a_state_bears_the_operators_name() -> None:
    assert edited(force=True).properties.user_id == "operator"
    assert edited(force=False).properties.user_id is None


def test_an_edited_letter_goes_to_the_run_that_it_names_now() -> None:
    other = "0190b9b0-7d0a-7c2f-8f57-0123456789cd"
    assert edited(run={"kind": "task", "id": other}).routing_key == "cd"


def test_an_edited_body_that_can_no_longer_be_read_is_sent_all_the_same() -> None:
    told: dict[str, Any] = {"edited_body": b"junk", "edited_at": AT}
    assert WRITER.message(replay_of("new", 0, **told)).routing_key == ""


class FakePublisher(Publisher):
    """Confirms what it is given, except for what it is told to do otherwise."""

    def __init__(self, *, refused: str | None = None, fails_at: int | None = None) -> None:
        self.published: list[list[str | None]] = []
        self._refused = refused
        self._fails_at = fails_at

    async def publish(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        if len(self.published) == self._fails_at:
            raise PublishUnanswered("no answer")
        ids = [message.properties.message_id for message in messages]
        self.published.append(ids)
        return [Outcome.REFUSED if each == self._refused else Outcome.CONFIRMED for each in ids]


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    await asyncio.to_thread(migrated, sqlite_url)
    async with open_database(sqlite_url) as opened:
        yield opened


async def replayed(database: Database, publisher: Publisher) -> list[int]:
    """How many of each portion were replayed."""
    chosen = await choose_letters(database, LetterFilter(replayable=True))
    return [len(each.letters) async for each in replay(database, publisher, WRITER, chosen)]


async def test_letters_are_published_portion_by_portion_in_the_order_of_their_deaths(
    database: Database,
) -> None:
    await record_letters(database, *(of_request(f"r-{number:03}") for number in range(150)))
    publisher = FakePublisher()
    assert await replayed(database, publisher) == [100, 50]
    ids = [each for portion in publisher.published for each in portion]
    assert ids == [f"r-{number:03}" for number in range(150)]
    assert set((await statuses(database)).values()) == {LetterStatus.REPLAYED}


async def test_what_the_broker_refuses_is_left_as_being_replayed(database: Database) -> None:
    await record_letters(database, of_request("a"), of_request("b"))
    assert await replayed(database, FakePublisher(refused="a")) == [1]
    assert await statuses(database) == {
        "a 0": LetterStatus.REPLAYING,
        "b 0": LetterStatus.REPLAYED,
    }
    again = FakePublisher()
    assert await replayed(database, again) == [1]
    assert again.published == [["a"]]


async def test_a_lost_broker_leaves_the_portion_at_hand_to_the_next_replay(
    database: Database,
) -> None:
    await record_letters(database, *(of_request(f"r-{number:03}") for number in range(250)))
    with pytest.raises(PublishUnanswered):
        await replayed(database, FakePublisher(fails_at=1))
    left = list((await statuses(database)).values())
    assert [left.count(each) for each in LetterStatus] == [50, 100, 100, 0, 0]
    assert sum(await replayed(database, FakePublisher())) == 150


async def test_a_letter_that_was_edited_is_published_as_that(database: Database) -> None:
    await record_letters(database, of_request("r"))
    [chosen] = await choose_letters(database, LetterFilter())
    await edit_letter(database, chosen.id, BODY, "new", AT)
    publisher = FakePublisher()
    assert await replayed(database, publisher) == [1]
    assert publisher.published == [["new"]]
