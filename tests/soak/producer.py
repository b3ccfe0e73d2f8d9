"""A producer that publishes at a steady pace, and sends again what was not confirmed."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumer.broker.confirms import Outcome
from consumer.broker.connection import BrokerConnection, connect
from consumer.broker.errors import BrokerError
from consumer.broker.messages import Outgoing
from consumer.broker.publisher import Publisher

_TICK_SECONDS = 0.1
_AGAIN_SECONDS = 0.5
_MOST_SECONDS_OWED = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """Asks ``due`` for messages, ``rate`` a second, and tells ``confirmed`` the fate of each.

    What it could not send in time, since the broker was away, it doesn't make up for.
    """

    url: str
    name: str
    rate: float
    due: Callable[[int], Sequence[Outgoing]]
    confirmed: Callable[[Outgoing], None]

    async def run(self) -> None:
        """Publish until cancelled, whatever happens to the broker."""
        unconfirmed: list[Outgoing] = []
        while True:
            connection: BrokerConnection | None = None
            try:
                connection = await connect(self.url, self.name)
                await self._publish_on(await Publisher.open(connection), unconfirmed)
            except BrokerError:
                await asyncio.sleep(_AGAIN_SECONDS)
            finally:
                if connection is not None:
                    await connection.close()

    async def _publish_on(self, publisher: Publisher, unconfirmed: list[Outgoing]) -> None:
        owed, last = 0.0, time.monotonic()
        while True:
            now = time.monotonic()
            owed = min(owed + self.rate * (now - last), self.rate * _MOST_SECONDS_OWED)
            last = now
            fresh = int(owed)
            owed -= fresh
            unconfirmed += self.due(fresh)
            sending = list(unconfirmed)
            outcomes = await publisher.publish(sending)
            unconfirmed.clear()
            for message, outcome in zip(sending, outcomes, strict=True):
                if outcome is Outcome.CONFIRMED:
                    self.confirmed(message)
                else:
                    unconfirmed.append(message)
            await asyncio.sleep(_TICK_SECONDS)
