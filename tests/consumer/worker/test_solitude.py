import asyncio
from contextlib import AbstractAsyncContextManager

from consumer.worker.solitude import Solitude


class Guest:
    """Somebody who comes in and leaves when told to."""

    def __init__(self, inside: AbstractAsyncContextManager[None]) -> None:
        self.is_in = False
        self._leave = asyncio.Event()
        self._task = asyncio.create_task(self._stay(inside))

    async def _stay(self, inside: AbstractAsyncContextManager[None]) -> None:
        async with inside:
            self.is_in = True
            await self._leave.wait()
        self.is_in = False

    async def leave(self) -> None:
        self._leave.set()
        await self._task

    async def give_up(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})


async def settled() -> None:
    """Let all go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_many_are_in_together() -> None:
    solitude = Solitude()
    guests = [Guest(solitude.together()) for _ in range(3)]
    await settled()
    assert all(guest.is_in for guest in guests)
    for guest in guests:
        await guest.leave()


async def test_one_is_alone_when_the_others_have_left_and_lets_nobody_else_in() -> None:
    solitude = Solitude()
    first = Guest(solitude.together())
    await settled()
    alone, later = Guest(solitude.alone()), Guest(solitude.together())
    await settled()
    assert (first.is_in, alone.is_in, later.is_in) == (True, False, False)
    await first.leave()
    await settled()
    assert (alone.is_in, later.is_in) == (True, False)
    await alone.leave()
    await settled()
    assert later.is_in
    await later.leave()


async def test_who_gives_up_waiting_to_be_alone_is_in_nobodys_way() -> None:
    solitude = Solitude()
    first = Guest(solitude.together())
    await settled()
    impatient = Guest(solitude.alone())
    await settled()
    await impatient.give_up()
    second = Guest(solitude.together())
    await settled()
    assert second.is_in
    await first.leave()
    await second.leave()
