"""What is published for a batch once it is committed, in the order that lets nothing get lost."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from consumer.broker.confirms import Outcome as PublishOutcome
from consumer.broker.direct_replies import AnswerPublisher
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.health.measures.publishing import PublishingMeasures, Recipient
from consumer.topology.names import DECISIONS
from consumer.wire.decisions import message_id, routing_keys
from consumer.wire.names import DECISION_TYPE, JSON_CONTENT_TYPE
from consumer.wire.requests import Envelope
from consumer.worker.outcomes import Answer, Outcome, RequestKey
from consumer.worker.patience import growing_wait

log = structlog.get_logger(__name__)

DECISION_TRIES = 2


@dataclass(frozen=True, slots=True)
class OutcomePublisher:
    """Publishes outcomes: what must not get lost first, then the decisions.

    The two have a channel each. A decision that a subscriber's queue will not take holds nothing
    up: it stands recorded.
    """

    forwards: Publisher
    decisions: AnswerPublisher
    measures: PublishingMeasures = field(default_factory=PublishingMeasures)

    @property
    def blocked(self) -> str | None:
        """Why the broker lets nothing be published at present, None where it does."""
        return self.forwards.blocked or self.decisions.blocked

    async def publish(self, outcomes: Sequence[Outcome]) -> frozenset[RequestKey]:
        """Publish all, and say which records' delayed requests and dead letters are confirmed.

        Raises:
            BrokerConnectionLost: there was no answer; all is to be published again.
        """
        await self._publish_forwards(
            [outcome.forward for outcome in outcomes if outcome.forward is not None]
        )
        await self._publish_decisions(
            [message for outcome in outcomes for message in decision_messages(outcome)]
        )
        return frozenset(outcome.forwards for outcome in outcomes if outcome.forwards is not None)

    async def _publish_forwards(self, messages: list[Outgoing]) -> None:
        """Publish until the broker has confirmed every one, however often it says no.

        To drop the connection instead would let everything come again, each time counted by the
        broker against messages that have nothing to do with it.
        """
        tries = 0
        while messages:
            answers = await self.forwards.publish(messages)
            messages = _unconfirmed(messages, answers)
            if messages:
                tries += 1
                self.measures.forwards_refused(len(messages))
                log.warning(
                    "forward-refused",
                    messages=len(messages),
                    exchange=messages[0].exchange,
                    tries=tries,
                )
                await asyncio.sleep(growing_wait(tries))

    async def _publish_decisions(self, messages: list[Outgoing]) -> None:
        for _ in range(DECISION_TRIES):
            if not messages:
                return
            answers = await self.decisions.publish(messages)
            messages = _unconfirmed(messages, answers)
        for message in messages:
            self.measures.undelivered(
                Recipient.EXCHANGE if message.exchange == DECISIONS else Recipient.REPLY
            )
            log.warning(
                "decision-undelivered",
                exchange=message.exchange,
                routing_key=message.routing_key,
                message_id=message.properties.message_id,
            )


def _unconfirmed(messages: Sequence[Outgoing], answers: Sequence[PublishOutcome]) -> list[Outgoing]:
    return [
        message
        for message, answer in zip(messages, answers, strict=True)
        if answer is not PublishOutcome.CONFIRMED
    ]


def decision_messages(outcome: Outcome) -> Iterator[Outgoing]:
    """The messages that carry an outcome's decision: the reply, and each announcement."""
    answer, envelope = outcome.answer, outcome.envelope
    if answer is None:
        return
    if envelope.reply_to is not None:
        yield _message(envelope, answer, "", envelope.reply_to, "reply")
    if answer.announced:
        for purpose, key in routing_keys(answer.body, answer.kind, answer.run_id):
            yield _message(envelope, answer, DECISIONS, key, purpose)


def _message(
    envelope: Envelope, answer: Answer, exchange: str, routing_key: str, purpose: str
) -> Outgoing:
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=answer.body,
        properties=Properties(
            message_id=message_id(answer.identity, purpose),
            correlation_id=envelope.correlation_id,
            type=DECISION_TYPE,
            content_type=JSON_CONTENT_TYPE,
            headers=dict(envelope.trace),
        ),
        mandatory=purpose == "reply",
    )
