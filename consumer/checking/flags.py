"""Whether dead-lettering is at-least-once: without a feature flag the broker lets it lose messages.

AMQP can't list feature flags. A broker that lacks ``stream_queue`` closes the connection over a
stream that is to be declared. One that has it closes the channel, since no stream can be exclusive,
so that nothing is made either way (tried on RabbitMQ 3.10.8).
"""

import re

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import BrokerConnectionLost, ChannelClosedByBroker
from consumer.checking.findings import Finding
from consumer.topology.names import REQUESTS

NAME = "feature-flags"

_FLAG = "stream_queue"
_PROBE = f"{REQUESTS}.probe"
_PRECONDITION_FAILED = 406
_ALWAYS_SINCE = 4
"""The major version from which on no broker is without the flag."""


async def check_flags(connection: BrokerConnection) -> Finding:
    """Ask on the connection, which may be lost over it."""
    major = re.match(r"\d+", connection.broker_version)
    if major and int(major[0]) >= _ALWAYS_SINCE:
        return _enabled()
    try:
        async with connection.channel() as channel:
            await channel.queue_declare(
                _PROBE, durable=True, exclusive=True, arguments={"x-queue-type": "stream"}
            )
    except BrokerConnectionLost as error:
        return what_it_means(error)
    return _unknown("the broker made a stream that no broker should make")


def what_it_means(error: BrokerConnectionLost) -> Finding:
    """What is found by the broker's refusal to make an exclusive stream."""
    if isinstance(error, ChannelClosedByBroker) and error.code == _PRECONDITION_FAILED:
        return _enabled()
    return _disabled() if "feature flag is disabled" in str(error) else _unknown(str(error))


def _enabled() -> Finding:
    return Finding(NAME, ok=True, lines=(f"{_FLAG} is enabled",), details={_FLAG: True})


def _disabled() -> Finding:
    line = (
        f"{_FLAG} is disabled, so that dead letters and delayed requests can be lost:"
        f" run 'rabbitmqctl enable_feature_flag {_FLAG}'"
    )
    return Finding(NAME, ok=False, lines=(line,), details={_FLAG: False, "problem": line})


def _unknown(why: str) -> Finding:
    line = f"{_FLAG} can't be asked for ({why}); see 'rabbitmqctl list_feature_flags'"
    return Finding(NAME, ok=None, lines=(line,), details={_FLAG: None, "problem": line})
