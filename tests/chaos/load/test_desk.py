"""The same seed sends the same."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from rules.runs import RunKind
from tests.chaos.chance import generator
from tests.chaos.load.answers import Answers
from tests.chaos.load.desk import Desk, Office
from tests.chaos.load.items import Item, Outbox
from tests.chaos.load.lanes import Lane
from tests.chaos.load.scripts import SCRIPTS, straight
from tests.chaos.policy import Misdeed


class KeepingLane(Lane):
    """A lane that publishes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "", Outbox())
        self.kept: list[Item] = []

    def give(self, item: Item) -> None:
        self.kept.append(item)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with asyncio.TaskGroup() as tasks:
        yield Office([KeepingLane(0), KeepingLane(1)], Answers(generator(0)), "guest", tasks)


def kept(office: Office) -> Iterator[Item]:
    for lane in office.lanes:
        assert isinstance(lane, KeepingLane)
        yield from lane.kept


def told(office: Office) -> list[tuple[str | None, str, str | None, str | None]]:
    return [
        (item.request_id, item.routing_key, item.reply_to, item.correlation_id)
        for item in kept(office)
    ]


async def test_the_same_seed_sends_the_same(office: Office) -> None:
    for number in range(50):
        straight(generator(number)).play(office, generator(7, number))
    first = told(office)
    for lane in office.lanes:
        assert isinstance(lane, KeepingLane)
        lane.kept.clear()
    for number in range(50):
        straight(generator(number)).play(office, generator(7, number))
    assert told(office) == first
    for task in office.later:
        task.cancel()


async def test_a_run_keeps_to_one_lane_and_its_proposals_to_their_order(office: Office) -> None:
    for number in range(20):
        straight(generator(number)).play(office, generator(8, number))
    lanes: dict[object, set[int]] = {}
    for number, lane in enumerate(office.lanes):
        assert isinstance(lane, KeepingLane)
        for item in lane.kept:
            lanes.setdefault(item.run_id, set()).add(number)
    assert len(lanes) == 20
    assert {len(numbers) for numbers in lanes.values()} == {1}
    for task in office.later:
        task.cancel()


async def test_a_misdeed_is_the_requests_own_fault_and_junk_names_no_run(office: Office) -> None:
    desk: Desk = office.desk(generator(9), RunKind.TASK)
    desk.send("RUNNING", misdeed=Misdeed.RAISE_BEFORE)
    desk.send_raw(b"{")
    faulty, junk = (item for item in kept(office) if item.body.strip() == item.body)
    assert (faulty.faulty, faulty.run_id) == (True, desk.run_id)
    assert b"raise-before" in faulty.body
    assert (junk.faulty, junk.run_id, junk.kind) == (False, None, None)
    for task in office.later:
        task.cancel()


@pytest.mark.parametrize("write", SCRIPTS, ids=lambda write: write.__name__)
def test_every_script_has_something_to_send(write: object) -> None:
    assert callable(write)
    assert all(write(generator(seed)).steps for seed in range(20))
