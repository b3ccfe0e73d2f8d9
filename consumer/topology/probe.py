"""Seeing whether the broker lets one publish, by messages that go nowhere."""

from collections.abc import Awaitable, Callable, Sequence

from consumer.broker.confirms import Outcome
from consumer.broker.messages import Outgoing, Properties
from consumer.topology.names import delay_level

# Published where no binding fits, the broker drops it: it is only to be confirmed.
_PROBE = Outgoing(
    exchange=delay_level(0), routing_key="probe", body=b"", properties=Properties(), mandatory=False
)
_TRIES = 2


async def probe(publish: Callable[[Sequence[Outgoing]], Awaitable[list[Outcome]]]) -> bool:
    """Whether the broker confirms; there is no answer for as long as it blocks publishers.

    One message would not tell: a broker that blocks lets the first one of each connection through.
    """
    outcomes = [await publish([_PROBE]) for _ in range(_TRIES)]
    return outcomes == [[Outcome.CONFIRMED]] * _TRIES
