"""Looking out for what keeps a consumer from governing, and for its end."""

import asyncio
from dataclasses import dataclass
from typing import Never

from sqlalchemy.exc import SQLAlchemyError

from consumer.broker.publisher import Publisher
from consumer.health.readiness import Obstacle, Readiness
from consumer.topology.probe import probe
from consumer.worker.patience import Patience, growing_wait
from consumer.worker.publishing import OutcomePublisher
from persistence.database import Database
from persistence.errors import PersistenceError
from persistence.probing import answers, can_be_used

_LOOK_SECONDS = 1.0
_LOOKS_PER_PROBE = 5
_ANSWER_SECONDS = 5.0
_USE_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 3.0
_NO_STORAGE = (TimeoutError, OSError, PersistenceError, SQLAlchemyError)


class PausedTooLongError(Exception):
    """An obstacle lasts: what is held unacknowledged should go back to the broker."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(f"paused for too long: {obstacle.value}")
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class Lookout:
    """Keeps ``readiness`` true to what it finds.

    A pause longer than ``seconds`` is not to be sat out with messages in hand: the broker counts
    for how long they are not acknowledged, and in the end takes the channel away.
    """

    database: Database
    readiness: Readiness
    patience: Patience
    seconds: float = 60.0

    async def watch(self, publisher: OutcomePublisher) -> Never:
        """Look at the database and at what the broker says to our publishing, for ever.

        Raises:
            PausedTooLongError: one of them has been in the way for too long.
        """
        looks = 0
        while True:
            self._note_blocked(publisher.blocked)
            if looks % _LOOKS_PER_PROBE == 0:
                await self._probe()
            looks += 1
            for obstacle in (Obstacle.DATABASE, Obstacle.PUBLISHERS_BLOCKED):
                if self.readiness.seconds(obstacle) > self.seconds:
                    raise PausedTooLongError(obstacle)
            await asyncio.sleep(_LOOK_SECONDS)

    async def until_published(self, publisher: Publisher) -> None:
        """Wait until the broker confirms messages that go nowhere: it lets us publish.

        Raises:
            BrokerConnectionLost: the connection is gone, or there was no answer in time.
        """
        publishing = asyncio.ensure_future(probe(publisher.publish))
        try:
            while not publishing.done():
                await asyncio.wait({publishing}, timeout=_LOOK_SECONDS)
                self._note_blocked(publisher.blocked)
            publishing.result()
        finally:
            publishing.cancel()

    async def until_usable(self) -> None:
        """Wait until the database can be used."""
        tries = 0
        while not await self._is_usable():
            tries += 1
            await asyncio.sleep(min(growing_wait(tries), _LONGEST_WAIT_SECONDS))

    async def _is_usable(self) -> bool:
        try:
            async with asyncio.timeout(_USE_SECONDS):
                await can_be_used(self.database)
        except _NO_STORAGE as error:
            self._note_away(error)
            return False
        self.readiness.clear(Obstacle.DATABASE)
        return True

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await answers(self.database)
        except _NO_STORAGE as error:
            self._note_away(error)
        else:
            # It may answer this and fail a batch, for a table that is missing, say.
            if not self.patience.is_tried:
                self.readiness.clear(Obstacle.DATABASE)

    def _note_away(self, error: Exception) -> None:
        why = str(error).partition("\n")[0] or "it does not answer"
        self.readiness.hinder(Obstacle.DATABASE, why)

    def _note_blocked(self, why: str | None) -> None:
        if why is None:
            self.readiness.clear(Obstacle.PUBLISHERS_BLOCKED)
        else:
            self.readiness.hinder(Obstacle.PUBLISHERS_BLOCKED, why)
