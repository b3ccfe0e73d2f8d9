"""Dead letters published once more, to be governed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consumer.broker.confirms import Outcome
from consumer.broker.messages import Delivery, Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.topology.names import REQUESTS, slot
from consumer.wire.names import JSON_CONTENT_TYPE, REQUEST_TYPE, TRACE_HEADERS, Header
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Reading, Request
from persistence.database import Database
from persistence.dead_letters.listing import portions
from persistence.dead_letters.replaying import Replay, begin_replays, held_replays
from persistence.dead_letters.values import ChosenLetter, RecordedLetter
from rules.moments import utc_now


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of so many letters: those that are replayed, and how many the broker refused."""

    size: int
    letters: Sequence[RecordedLetter]
    refused: int


@dataclass(frozen=True, slots=True)
class ReplayWriter:
    """Writes letters as requests; an edited one is a request of ``user``'s own."""

    reader: RequestReader
    user: str | None

    def message(self, replay: Replay) -> Outgoing:
        """The request, for its run's partition."""
        if replay.letter.edited_body is not None:
            return self._edited(replay, replay.letter.edited_body)
        return self._as_it_was(replay)

    def _as_it_was(self, replay: Replay) -> Outgoing:
        """The headers are those by which a consumer knows a request that it has sent round."""
        letter = replay.letter
        headers = _headers(letter.properties, *TRACE_HEADERS, Header.ORIGINAL) | {
            Header.REQUEST_ID: replay.request_id,
            Header.ATTEMPT: replay.attempt,
            Header.FAILURES: 0,
        }
        properties = Properties(
            message_id=replay.request_id,
            correlation_id=_text(letter.properties, "correlation_id"),
            reply_to=_text(letter.properties, "reply_to"),
            type=_text(letter.properties, "type"),
            content_type=_text(letter.properties, "content_type"),
            headers=headers,
        )
        return _request(letter.body, properties, letter.run_id)

    def _edited(self, replay: Replay, body: bytes) -> Outgoing:
        """A request that nobody has sent before; who replays it answers for what it forces."""
        letter = replay.letter
        reading = edited_request(self.reader, body, replay.request_id)
        request = reading if isinstance(reading, Request) else None
        properties = Properties(
            message_id=replay.request_id,
            correlation_id=_text(letter.properties, "correlation_id") or letter.request_id,
            reply_to=_text(letter.properties, "reply_to"),
            type=REQUEST_TYPE,
            content_type=JSON_CONTENT_TYPE,
            user_id=self.user if request and request.body.force else None,
            headers=_headers(letter.properties, *TRACE_HEADERS),
        )
        return _request(body, properties, request.run_id if request else None)


def edited_request(reader: RequestReader, body: bytes, request_id: str) -> Reading:
    """How a consumer will read an edited body."""
    return reader.read(
        Delivery(
            body=body,
            properties=Properties(message_id=request_id),
            exchange=REQUESTS,
            routing_key="",
            redelivered=False,
            tag=1,
        )
    )


async def replay(
    database: Database,
    publisher: Publisher,
    writer: ReplayWriter,
    chosen: Sequence[ChosenLetter],
) -> AsyncIterator[Replayed]:
    """Publish letters once more, portion by portion, and mark those that the broker confirms.

    What is being replayed is committed before it is published, and what is published is held
    until it is marked. Broken off at any point, the letters at hand are left as being replayed,
    and are published again by the next replay under the same id and attempt. Letters that another
    replay holds are passed over.

    Raises:
        BrokerError: as of ``Publisher.publish``.
    """
    for ids in portions(chosen):
        replays = await begin_replays(database, ids)
        async with held_replays(database, replays) as held:
            outcomes = await publisher.publish([writer.message(each) for each in held.replays])
            confirmed = [
                each
                for each, outcome in zip(held.replays, outcomes, strict=True)
                if outcome is Outcome.CONFIRMED
            ]
            letters = await held.close(confirmed, utc_now())
        yield Replayed(len(ids), letters, refused=len(held.replays) - len(confirmed))


def _request(body: bytes, properties: Properties, run_id: UUID | None) -> Outgoing:
    # What has no run comes to the first partition, as all that has no right routing key.
    key = "" if run_id is None else slot(run_id)
    return Outgoing(exchange=REQUESTS, routing_key=key, body=body, properties=properties)


def _text(kept: Mapping[str, Any], name: str) -> str | None:
    value = kept.get(name)
    return value if isinstance(value, str) else None


def _headers(kept: Mapping[str, Any], *names: str) -> dict[str, Any]:
    headers = kept.get("headers")
    if not isinstance(headers, Mapping):
        return {}
    return {name: headers[name] for name in names if isinstance(headers.get(name), str)}
