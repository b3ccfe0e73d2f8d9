"""Decisions as they are announced, in a queue that lasts for as long as somebody listens."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from pydantic_core import from_json

from consumer.broker.address import BrokerAddress
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerError, ChannelClosedByBroker
from consumer.broker.intake import Intake, Source
from consumer.broker.messages import Delivery
from consumer.errors import PointsmanError
from consumer.topology.names import DECISIONS
from consumer.worker.patience import growing_wait

_PREFETCH = 200
_NOT_FOUND = 404
_ACCESS_REFUSED = 403

# Where nobody reads on, as behind a pager, the oldest are dropped: no broker is to be filled.
_ROOM: Mapping[str, str | int] = {
    "x-max-length": 10_000,
    "x-max-length-bytes": 64 * 2**20,
    "x-overflow": "drop-head",
    "x-queue-type": "classic",
}


class NotSubscribedError(PointsmanError):
    """There is nothing to subscribe to, or it is not permitted."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A decision, and the routing key by which it was announced."""

    routing_key: str
    decision: dict[str, Any]


class Audience(Protocol):
    """Whoever is told of what happens to a subscription."""

    async def take(self, announced: Announced) -> bool:
        """A decision came; whether to go on."""

    def listening(self) -> None:
        """From now on every decision comes."""

    def interrupted(self, why: str) -> None:
        """The connection is gone; what is decided until it is back is not heard of."""


async def listen(address: BrokerAddress, keys: Iterable[str], audience: Audience) -> None:
    """Hand on what is announced under these binding keys until the audience has enough.

    A connection lost on the way is replaced, however long that takes.

    Raises:
        BrokerError: there was no broker, or it refused us, at the very first.
        NotSubscribedError: the exchange is missing, or the user may not subscribe.
    """
    keys = tuple(keys)
    was_listening, waits = False, 0
    while True:
        try:
            async with _subscribed(address, keys) as intake:
                was_listening, waits = True, 0
                audience.listening()
                return await _hand_on(intake, audience)
        except BrokerError as error:
            if not was_listening:
                raise
            if waits == 0:
                audience.interrupted(str(error))
            waits += 1
            await asyncio.sleep(growing_wait(waits))


async def _hand_on(intake: Intake, audience: Audience) -> None:
    while True:
        batch = await intake.next_batch(_PREFETCH)
        for delivery in batch:
            announced = _read(delivery)
            if announced is not None and not await audience.take(announced):
                return
        await intake.settle(batch)


def _read(delivery: Delivery) -> Announced | None:
    """The decision in a message; None where a stranger published something else."""
    try:
        decision = from_json(delivery.body)
    except ValueError:
        return None
    return Announced(delivery.routing_key, decision) if isinstance(decision, dict) else None


@asynccontextmanager
async def _subscribed(address: BrokerAddress, keys: tuple[str, ...]) -> AsyncIterator[Intake]:
    connection = await connect(address, "pointsman decisions tail")
    try:
        yield await _subscribe(connection, keys)
    finally:
        await connection.close()


async def _subscribe(connection: BrokerConnection, keys: tuple[str, ...]) -> Intake:
    try:
        async with connection.channel() as channel:
            declared = await channel.queue_declare(
                exclusive=True, auto_delete=True, arguments={**_ROOM}
            )
            queue = str(declared.queue)
            for key in keys:
                await channel.queue_bind(queue, DECISIONS, key)
        return await Intake.open(connection, [Source(queue)], prefetch=_PREFETCH)
    except ChannelClosedByBroker as error:
        _refuse(error)


def _refuse(error: ChannelClosedByBroker) -> NoReturn:
    if error.code == _NOT_FOUND:
        raise NotSubscribedError(
            f"the broker has no exchange {DECISIONS!r}; run 'pointsman topology declare'"
        ) from error
    if error.code == _ACCESS_REFUSED:
        raise NotSubscribedError(
            f"the broker's user may not subscribe ({error.text}); let it read {DECISIONS},"
            " and configure, write and read amq.gen-*"
        ) from error
    raise error
