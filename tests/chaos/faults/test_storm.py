import asyncio
from random import Random
from typing import cast

import pytest

from tests.chaos.chance import generator
from tests.chaos.diary import Diary
from tests.chaos.faults.fault import Fault, Side
from tests.chaos.faults.storm import Rest, Storm
from tests.chaos.load.answers import Answers
from tests.chaos.place import Place

PLACE = cast("Place", object())


class Striking:
    """Faults that note who strikes, and that no two of one side do so at a time."""

    def __init__(self) -> None:
        self.struck: list[str] = []
        self._active: set[Side] = set()

    def fault(self, name: str, side: Side) -> Fault:
        async def strike(place: Place, rng: Random) -> None:
            del place, rng
            assert side not in self._active
            self._active.add(side)
            await asyncio.sleep(0)
            self.struck.append(name)
            self._active.remove(side)

        return Fault(name, side, strike)


@pytest.fixture
def striking() -> Striking:
    return Striking()


class NoLoad:
    """A load that counts what it is to start."""

    def __init__(self) -> None:
        self.answers = Answers(generator(0))
        self.started = 0

    def start(self, runs: int) -> None:
        self.started += runs


@pytest.fixture
def load() -> NoLoad:
    return NoLoad()


@pytest.fixture
def storm(load: NoLoad) -> Storm:
    return Storm(PLACE, load, 1, Rest(seconds=0, answers=0), Diary())


async def test_each_fault_strikes_once_in_its_sides_order(storm: Storm, striking: Striking) -> None:
    faults = [
        striking.fault("one", Side.BROKER),
        striking.fault("other side", Side.NETWORK),
        striking.fault("two", Side.BROKER),
    ]
    await storm.rage(faults, asyncio.Event(), once=True)
    assert [name for name in striking.struck if name != "other side"] == ["one", "two"]
    assert storm.struck == {"one": 1, "two": 1, "other side": 1}


async def test_without_an_order_faults_go_on_until_the_end(
    storm: Storm, striking: Striking
) -> None:
    end = asyncio.Event()

    async def strike_last(place: Place, rng: Random) -> None:
        del place, rng
        if len(striking.struck) > 5:
            end.set()

    faults = [
        striking.fault("often", Side.CONSUMERS),
        Fault("last", Side.CONSUMERS, strike_last),
    ]
    await storm.rage(faults, end, once=False)
    assert storm.struck["often"] > 5
    assert storm.struck["last"] > 0


async def test_an_end_that_was_told_before_lets_nothing_strike(
    storm: Storm, striking: Striking
) -> None:
    end = asyncio.Event()
    end.set()
    await storm.rage([striking.fault("late", Side.BROKER)], end, once=True)
    assert striking.struck == []


async def test_consumers_have_something_to_do_when_a_fault_strikes(
    storm: Storm, load: NoLoad
) -> None:
    busy: list[int] = []

    async def strike(place: Place, rng: Random) -> None:
        del place, rng
        busy.append(load.started)

    await storm.rage([Fault("now", Side.BROKER, strike)], asyncio.Event(), once=True)
    assert busy[0] > 0
