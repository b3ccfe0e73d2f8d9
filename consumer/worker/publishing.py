"""What is published for a batch once it is committed, in the order that lets nothing get lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from consumer.broker.confirms import Outcome as PublishOutcome
from consumer.broker.direct_replies import AnswerPublisher
from consumer.broker.errors import BrokerError
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.topology.names import DECISIONS
from consumer.wire.decisions import message_id, routing_keys
from consumer.wire.names import DECISION_TYPE, JSON_CONTENT_TYPE
from consumer.wire.requests import Envelope
from consumer.worker.outcomes import Answer, Outcome, RequestKey

log = structlog.get_logger(__name__)

DECISION_TRIES = 2


class ForwardRefusedError(BrokerError):
    """The broker would not take a delayed request or a dead letter, so nothing is acknowledged."""

    def __init__(self, message: Outgoing, outcome: PublishOutcome) -> None:
        super().__init__(
            f"the broker {outcome} a message for the exchange {message.exchange!r};"
            " look at its queues with 'pointsman topology check'"
        )


@dataclass(frozen=True, slots=True)
class OutcomePublisher:
    """Publishes outcomes: what must not get lost first, then the decisions.

    The two have a channel each. A decision that a subscriber's queue will not take holds nothing
    up: it stands recorded.
    """

    forwards: Publisher
    decisions: AnswerPublisher

    async def publish(self, outcomes: Sequence[Outcome]) -> frozenset[RequestKey]:
        """Publish all, and say which records' delayed requests and dead letters are confirmed.

        Raises:
            ForwardRefusedError: the broker said no to one of those.
            BrokerConnectionLost: there was no answer; all is to be published again.
        """
        forwards = [outcome.forward for outcome in outcomes if outcome.forward is not None]
        if forwards:
            for message, outcome in zip(
                forwards, await self.forwards.publish(forwards), strict=True
            ):
                if outcome is not PublishOutcome.CONFIRMED:
                    raise ForwardRefusedError(message, outcome)
        await self._publish_decisions(
            [message for outcome in outcomes for message in decision_messages(outcome)]
        )
        return frozenset(outcome.forwards for outcome in outcomes if outcome.forwards is not None)

    async def _publish_decisions(self, messages: list[Outgoing]) -> None:
        for _ in range(DECISION_TRIES):
            if not messages:
                return
            answers = await self.decisions.publish(messages)
            messages = [
                message
                for message, answer in zip(messages, answers, strict=True)
                if answer is not PublishOutcome.CONFIRMED
            ]
        for message in messages:
            log.warning(
                "decision-undelivered",
                exchange=message.exchange,
                routing_key=message.routing_key,
                message_id=message.properties.message_id,
            )


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
