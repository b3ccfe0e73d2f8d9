"""What can go wrong between us and the broker; every message is one line and names no password."""

# An error's name says what went wrong; a suffix to say that it is one would only be longer.
# ruff: noqa: N818


class BrokerError(Exception):
    """The root of all errors of this package."""


class BrokerUnreachable(BrokerError):
    """Nobody answered at the broker's address, or not in its language, within the time limit."""


class BrokerRefused(BrokerError):
    """The broker answered and said no: to the user, the virtual host, or what was asked of it."""


class BrokerConnectionLost(BrokerError):
    """What was open is gone, and everything unacknowledged or unconfirmed with it."""


class BrokerFailed(BrokerConnectionLost):
    """The broker met an error of its own over what it was sent, and closed the connection."""


class ChannelClosedByBroker(BrokerConnectionLost):
    """The broker closed one channel, with a reply code such as 403 or 404; others live on."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"the broker closed the channel: {text}")
        self.code = code
        self.text = text


class ConsumerCancelled(BrokerConnectionLost):
    """The broker ended a subscription of ours: the queue was deleted, or its leader is gone."""

    def __init__(self) -> None:
        super().__init__("the broker cancelled our subscription to a queue")


class PublishUnanswered(BrokerConnectionLost):
    """The broker did not confirm in time, so that the connection was dropped."""


class UnsendableMessage(BrokerError, ValueError):
    """A message that can't be put into AMQP; nothing of what came with it was sent."""


class UndecodableHeader(BrokerError, ValueError):
    """A content header that can't be read as what AMQP says it is."""
