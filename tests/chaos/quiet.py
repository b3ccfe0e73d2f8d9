"""Waiting until consumers are at work, and until nothing happens any more."""

import asyncio
import time
from collections.abc import Mapping

from tests.chaos.history import QueueAtEnd
from tests.chaos.load.traffic import Traffic
from tests.chaos.place import Place

_START_SECONDS = 120.0
_QUIET_SECONDS = 400.0
_SECONDS_BETWEEN_LOOKS = 0.5
_IN_A_ROW = 2


class NotAnsweredError(Exception):
    """Something is not answered long after it should be; the text says what."""


async def first_answer(traffic: Traffic) -> None:
    """Come back when the first request is answered.

    Raises:
        NotAnsweredError: that takes much longer than consumers take to start.
    """
    try:
        async with asyncio.timeout(_START_SECONDS):
            await traffic.answers.more(1)
    except TimeoutError:
        raise NotAnsweredError(f"no answer {_START_SECONDS:g} s after the start") from None


async def until_quiet(place: Place, traffic: Traffic) -> None:
    """Come back when all that was sent is answered and no queue holds anything.

    Raises:
        NotAnsweredError: that takes much longer than it ever should.
    """
    deadline = time.monotonic() + _QUIET_SECONDS
    quiet = 0
    while quiet < _IN_A_ROW:  # a message can be seen in neither of the queues that it moves between
        left = traffic.left() or _told(_filled(await queues(place)))
        quiet = 0 if left else quiet + 1
        if left and time.monotonic() > deadline:
            raise NotAnsweredError(f"not quiet {_QUIET_SECONDS:g} s after the last fault: {left}")
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def queues(place: Place) -> dict[str, QueueAtEnd]:
    """What each queue of the trial holds, subscribers' queues included."""
    columns = ("name", "messages_ready", "messages_unacknowledged")
    arguments = ("list_queues", "--vhost", place.vhost, "--no-table-headers", *columns)
    lines = (await asyncio.to_thread(place.broker.run_ctl, *arguments)).splitlines()
    return {
        name: QueueAtEnd(ready=int(ready), unacknowledged=int(unacknowledged))
        for name, ready, unacknowledged in (line.split("\t") for line in lines)
    }


def _filled(found: Mapping[str, QueueAtEnd]) -> Mapping[str, QueueAtEnd]:
    return {name: queue for name, queue in found.items() if queue.ready or queue.unacknowledged}


def _told(found: Mapping[str, QueueAtEnd]) -> str:
    return ", ".join(
        f"{name} holds {queue.ready} and {queue.unacknowledged} unacknowledged"
        for name, queue in found.items()
    )
