"""The client library's errors, in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiormq.exceptions import (
    AMQPError,
    ChannelAccessRefused,
    ChannelClosed,
    ChannelInvalidStateError,
    ChannelLockedResource,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)

from consumer.broker.errors import BrokerConnectionLost, ChannelClosedByBroker

_CODES: dict[type[ChannelClosed], int] = {
    ChannelAccessRefused: 403,
    ChannelNotFoundEntity: 404,
    ChannelLockedResource: 405,
    ChannelPreconditionFailed: 406,
}


@contextmanager
def broker_errors() -> Iterator[None]:
    """Raise what the library raises as errors of this package.

    Raises:
        ChannelClosedByBroker: the broker refused a call and closed its channel.
        BrokerConnectionLost: channel or connection ended for another reason.
    """
    try:
        yield
    except ChannelClosed as error:
        text = str(error.args[-1]) if error.args else "no reason given"
        raise ChannelClosedByBroker(_CODES.get(type(error), 0), text) from error
    except (AMQPError, ChannelInvalidStateError, ConnectionError) as error:
        raise BrokerConnectionLost(f"the connection to the broker is gone: {error}") from error
