"""Whether the broker would let us publish: a message that goes nowhere is to be confirmed."""

import asyncio

from consumer.broker.connection import BrokerConnection
from consumer.broker.errors import BrokerError, ChannelClosedByBroker
from consumer.broker.publisher import Publisher
from consumer.checking.findings import Finding, failed, unknown
from consumer.topology.probe import probe

NAME = "publishing"

_SECONDS = 5.0
_ACCESS_REFUSED = 403
_NOT_FOUND = 404


async def check_publishing(connection: BrokerConnection) -> Finding:
    """Publish on the connection, which may be lost over it."""
    try:
        publisher = await Publisher.open(connection, seconds=_SECONDS)
        async with asyncio.timeout(_SECONDS):
            confirmed = await probe(publisher.publish)
    except TimeoutError:
        blocked = connection.blocked
        why = f"it blocks publishers: {blocked}" if blocked else f"no answer in {_SECONDS:g} s"
        return failed(NAME, f"the broker lets nothing be published: {why}")
    except ChannelClosedByBroker as error:
        return _refusal(error)
    except BrokerError as error:
        return failed(NAME, str(error))
    if not confirmed:
        return failed(NAME, "the broker would not take a message")
    line = "the broker takes and confirms messages"
    return Finding(NAME, ok=True, lines=(line,), details={"permitted": True})


def _refusal(error: ChannelClosedByBroker) -> Finding:
    if error.code == _NOT_FOUND:
        [finding] = unknown((NAME,), "the exchange to try it on is missing; see topology")
        return finding
    if error.code == _ACCESS_REFUSED:
        why = f"the broker's user may not publish ({error.text})"
        return Finding(NAME, ok=False, lines=(why,), details={"permitted": False, "problem": why})
    return failed(NAME, str(error))
