"""What a message goes through from the broker's bytes to the record, less the broker itself."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from struct import unpack_from

from pydantic_core import from_json
from sqlalchemy import select
from structlog.testing import capture_logs

from consumer.broker.deliveries import DeliveryTap
from consumer.broker.encoding import publish_frames
from consumer.broker.frames import FrameReader
from consumer.broker.messages import Delivery, Outgoing
from consumer.dead_letters.filling import Filling
from consumer.dead_letters.letters import LetterWriter, letter_id
from consumer.topology.names import DEAD_LETTERS
from consumer.wire.decisions import Verdict
from consumer.wire.names import DECISION_TYPE, DeadHeader
from consumer.wire.reading import RequestReader
from consumer.wire.requests import Reading, Request, Unreadable
from consumer.worker.deciding import Decider, Statute
from consumer.worker.judging import Judge
from consumer.worker.outcomes import Outcome
from consumer.worker.patience import Patience
from consumer.worker.publishing import decision_messages
from consumer.worker.recording import Answering
from consumer.worker.rounds import Router
from persistence.dead_letters.listing import list_letters
from persistence.limits import set_limit
from persistence.migrating import upgrade
from persistence.schema import DeadLetterRow, table_of
from rules import OrchestrationSettings
from rules.policies import CoreFlowPolicy, CoreTaskPolicy
from tests.consumer.worker.governors import Bench, governing
from tests.fuzz.messages import Message

FRAME_MAX = 131_072
MAX_BODY_BYTES = 250_000
LONGEST_REASON = 1_200
_EXPECTED = {"undelivered"}
_LETTER_ID = table_of(DeadLetterRow).c.letter_id
_CHANNEL = 3
_PARTITION = 0
_FRAME_HEAD = 7
_CHANGING = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"|\d+")
_PLACE = re.compile(r"^[^ ]*: ")


class EscapedError(AssertionError):
    """A message did what none may do; ``messages`` are those of its batch."""

    def __init__(self, what: str, messages: Sequence[Message]) -> None:
        super().__init__(what)
        self.messages = messages


@dataclass(slots=True)
class Road:
    """Sends batches of messages all the way, and counts how they end.

    What goes to the ladder comes back with the next batch, and then is left alone.
    """

    bench: Bench
    filling: Filling
    read: Callable[[Delivery], Reading]
    chance: Random
    ends: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    returning: list[Message] = field(default_factory=list)

    async def travel(self, messages: Sequence[Message]) -> None:
        """Send a batch all the way.

        Raises:
            EscapedError: something is not as promised.
        """
        again, self.returning = self.returning, []
        batch = [*messages, *again]
        try:
            with capture_logs() as told:
                await self._travel(batch, comes_back=len(messages))
        except Exception as error:
            raise EscapedError(f"{type(error).__name__}: {error}", batch) from error
        unexpected = [event for event in told if event["event"] not in _EXPECTED]
        if unexpected:
            raise EscapedError(f"logged: {unexpected[0]}", batch) from unexpected[0].get("exc_info")
        self.bench.clock.advance(1)

    async def _travel(self, batch: Sequence[Message], *, comes_back: int) -> None:
        deliveries = arrive(batch, self.chance)
        assert len(deliveries) == len(batch), f"{len(deliveries)} of {len(batch)} arrived"
        readings = [self.read(delivery) for delivery in deliveries]
        for reading in readings:
            self._check_reading(reading)
        outcomes = await self._govern(readings)
        assert len(outcomes) == len(batch), f"{len(outcomes)} outcomes of {len(batch)} messages"
        letters: list[Outgoing] = []
        for place, outcome in enumerate(outcomes):
            self.ends[end_of(outcome)] += 1
            forward = outcome.forward
            if forward is not None and forward.exchange == DEAD_LETTERS:
                letters.append(forward)
            elif forward is not None and place < comes_back:
                self.returning.append(delivered(forward))
        # What a producer puts among the dead letters by itself is no better than what comes there.
        await self._bury([*map(delivered, letters), *batch[: len(batch) // 8]])
        await self._check_letters({letter.properties.headers[DeadHeader.ID] for letter in letters})

    async def _govern(self, readings: Sequence[Reading]) -> list[Outcome]:
        together = [each for each in readings if not each.envelope.delivery.redelivered]
        outcomes = {
            id(reading): outcome
            for reading, outcome in zip(
                together, await self.bench.governor.govern(together), strict=True
            )
        }
        for reading in readings:
            if reading.envelope.delivery.redelivered:
                [outcomes[id(reading)]] = await self.bench.governor.govern_alone(reading)
        return [outcomes[id(reading)] for reading in readings]

    def _check_reading(self, reading: Reading) -> None:
        if isinstance(reading, Request):
            assert reading.request_id
            return
        assert isinstance(reading, Unreadable), reading
        reason = reading.reason
        assert reason, "no reason"
        assert "\0" not in reason, reason
        assert reason.isprintable(), repr(reason)
        assert len(reason.encode()) <= LONGEST_REASON, reason
        first = reason.partition("; ")[0]
        self.reasons[_CHANGING.sub("…", _PLACE.sub("", first))[:80]] += 1

    async def _bury(self, messages: Sequence[Message]) -> None:
        for outcome in await self.filling.record(arrive(messages, self.chance)):
            await self._check_judged(outcome)
        await list_letters(self.bench.database, limit=len(messages))

    async def _check_judged(self, outcome: Outcome) -> None:
        """A dead letter may have been answered; only a decision that came back never is."""
        envelope = outcome.envelope
        if envelope.delivery.properties.type != DECISION_TYPE:
            end_of(outcome)
            return
        assert outcome.answer is None, "a decision was answered"
        assert outcome.forward is None, "a dead letter is sent on"
        await self._check_letters({str(letter_id(envelope, 0))})

    async def _check_letters(self, ids: AbstractSet[str]) -> None:
        async with self.bench.database.reading() as connection:
            found = await connection.scalars(select(_LETTER_ID).where(_LETTER_ID.in_(ids)))
            assert ids == set(found), "a dead letter is not on record"


def end_of(outcome: Outcome) -> str:
    """How a message ended, once all that is to be published for it is seen to fit into frames."""
    assert outcome.answer or outcome.forward, "neither a decision nor a dead letter"
    for message in decision_messages(outcome):
        publish_frames(message, _CHANNEL, FRAME_MAX)
    if outcome.answer is None:
        return "sent round"
    decision = from_json(outcome.answer.body)
    assert decision["decision"] in set(Verdict)
    code = decision["code"]
    return f"{decision['decision']}{f' ({code})' if code else ''}"


def arrive(messages: Sequence[Message], chance: Random) -> list[Delivery]:
    """What comes of the messages' bytes, cut anywhere."""
    deliveries: list[Delivery] = []
    ends: list[str] = []
    reader = FrameReader(ends.append)
    reader.tap(_CHANNEL, DeliveryTap(deliveries.append, _PARTITION))
    stream = b"".join(
        message.frames(tag, _CHANNEL) for tag, message in enumerate(messages, start=1)
    )
    for piece in _pieces(stream, chance):
        reader.feed_data(piece)
    assert ends == []
    return deliveries


def _pieces(stream: bytes, chance: Random) -> Iterator[bytes]:
    size = chance.choice((1_448, 16_384, 262_144))
    at = chance.randrange(size)
    yield stream[:at]
    for start in range(at, len(stream), size):
        yield stream[start : start + size]


def delivered(message: Outgoing) -> Message:
    """A published message as the broker delivers it."""
    published = publish_frames(message, _CHANNEL, FRAME_MAX)
    (method_size,) = unpack_from(">I", published, 3)
    start = _FRAME_HEAD + method_size + 1
    (header_size,) = unpack_from(">I", published, start + 3)
    header = published[start + _FRAME_HEAD : start + _FRAME_HEAD + header_size]
    return Message(
        header=header,
        body=message.body,
        routing_key=message.routing_key.encode(),
        exchange=message.exchange.encode(),
    )


@asynccontextmanager
async def open_road(database_url: str, chance: Random) -> AsyncIterator[Road]:
    """A road that ends in an empty database."""
    await asyncio.to_thread(upgrade, database_url)
    reader = RequestReader(MAX_BODY_BYTES, ("*",))
    async with governing(database_url) as bench:
        await set_limit(bench.database, "db", 2)
        await set_limit(bench.database, "net", 0)
        statute = Statute(
            settings=OrchestrationSettings(),
            flow_policy=CoreFlowPolicy,
            task_policy=CoreTaskPolicy,
        )
        answering = Answering(Router(partitions=8), LetterWriter("fuzz"))
        judge = Judge(Decider(statute, answering, bench.clock))
        filling = Filling(bench.database, reader, judge, Patience(bench.readiness))
        yield Road(bench, filling, reader.read, chance)
