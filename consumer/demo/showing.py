"""One showing: the story performed over the broker, watched, and judged by its decisions."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NoReturn

from consumer.broker.address import BrokerAddress
from consumer.client import Client
from consumer.demo.desk import Desk
from consumer.demo.errors import DemoError
from consumer.demo.expectations import disappointments
from consumer.demo.journal import Journal
from consumer.demo.performance import perform
from consumer.demo.plans import Story
from consumer.demo.roster import Roster
from consumer.demo.screens import Screen
from consumer.demo.stage import CONNECTION_NAME, stage
from consumer.demo.story import tell
from consumer.demo.subscription import Subscription
from consumer.demo.tally import Figures, count
from consumer.settings import Settings

_STORY_SECONDS = 60.0
_SETTLE_SECONDS = 10.0
_FRAME_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """What a showing came to, and what of it was not as the story says."""

    figures: Figures
    disappointments: tuple[str, ...]


async def give(settings: Settings, screen: Screen) -> Result:
    """Give one showing, from bringing the schema up to date to stopping the consumer.

    Raises:
        DemoError: it could not be brought to its end.
        BrokerError: there is no broker to be had, or it was lost.
        PersistenceError: there is no database to be had.
    """
    story, roster = tell(secrets.token_hex(2)), Roster()
    async with stage(settings, story.limits) as stands:
        subscription = await Subscription.open(stands.connection)
        journal = Journal(roster, _stopwatch(), screen.show)
        with screen:
            await _alongside(
                _perform(settings.broker, story, roster, journal),
                subscription.serve(journal),
                stands.consumer.dies(),
                _draw(screen),
            )
    figures = count(journal.sent, journal.entries, journal.letters)
    return Result(figures, tuple(disappointments(story, roster, journal)))


async def _perform(broker: BrokerAddress, story: Story, roster: Roster, journal: Journal) -> None:
    async with (
        Client.connected(broker, f"{CONNECTION_NAME}, workers") as of_workers,
        Client.connected(broker, f"{CONNECTION_NAME}, producers") as of_producers,
    ):
        workers, producers = Desk(of_workers, journal), Desk(of_producers, journal)
        await _alongside(
            _to_the_end(perform(story, roster, workers, producers), journal),
            workers.serve(),
            producers.serve(),
        )


async def _to_the_end(performance: Coroutine[Any, Any, None], journal: Journal) -> None:
    try:
        async with asyncio.timeout(_STORY_SECONDS):
            await performance
    except TimeoutError:
        raise DemoError(f"the story did not end within {_STORY_SECONDS:g} s") from None
    try:
        async with asyncio.timeout(_SETTLE_SECONDS):
            await journal.settle()
    except TimeoutError:
        raise DemoError("some decisions came as a reply but were not announced") from None


async def _alongside(
    work: Coroutine[Any, Any, None], *services: Coroutine[Any, Any, NoReturn]
) -> None:
    """Do the work while the services run, which never end but by an error; that ends the work."""
    tasks = [asyncio.create_task(each) for each in (work, *services)]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()


async def _draw(screen: Screen) -> NoReturn:
    while True:
        await asyncio.sleep(_FRAME_SECONDS)
        screen.refresh()


def _stopwatch() -> Callable[[], float]:
    started = time.monotonic()
    return lambda: time.monotonic() - started
