import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from consumer.broker.intake import Intake
from consumer.broker.messages import Delivery
from consumer.wire.requests import Reading
from consumer.worker.dispatching import Dispatcher, subject_of
from tests.consumer.wire.messages import READER, delivery

RUNS = [UUID(int=number) for number in range(4)]


class Arrivals(Intake):
    """What has come, without a broker."""

    def __init__(self) -> None:
        self.there: deque[Delivery] = deque()
        self.came = asyncio.Event()

    def arrive(self, *deliveries: Delivery) -> None:
        self.there.extend(deliveries)
        self.came.set()

    @override
    def take(self, limit: int) -> list[Delivery]:
        return [self.there.popleft() for _ in range(min(limit, len(self.there)))]

    @override
    async def arrival(self) -> None:
        while not self.there:
            self.came.clear()
            await self.came.wait()


def about(run: int, tag: int = 0) -> Delivery:
    body = {"run": {"kind": "task", "id": str(RUNS[run])}, "state": {"type": "RUNNING"}}
    return replace(delivery(body, message_id=f"r-{tag}"), tag=tag)


def dispatching(size: int, deliveries: Iterable[Delivery]) -> tuple[Dispatcher, Arrivals]:
    arrivals = Arrivals()
    arrivals.arrive(*deliveries)
    return Dispatcher(arrivals, READER, size), arrivals


def tags(batch: Sequence[Reading]) -> list[int]:
    return [reading.envelope.delivery.tag for reading in batch]


async def test_a_batch_is_what_is_there_up_to_its_size() -> None:
    dispatcher, _ = dispatching(2, [about(0, 1), about(0, 2), about(1, 3)])
    assert tags(await dispatcher.next_batch()) == [1, 2]
    assert tags(await dispatcher.next_batch()) == [3]


async def test_a_run_that_is_in_flight_is_held_back_until_its_batch_has_landed() -> None:
    dispatcher, arrivals = dispatching(1, [about(0, 1), about(0, 2), about(1, 3)])
    first = await dispatcher.next_batch()
    assert tags(await dispatcher.next_batch()) == [3]
    third = asyncio.create_task(dispatcher.next_batch())
    await asyncio.wait({third}, timeout=0)
    assert not third.done()
    dispatcher.land(first)
    arrivals.arrive(about(0, 4))
    assert tags(await third) == [2]
    third.cancel()


async def test_what_was_held_back_goes_before_what_comes_later() -> None:
    dispatcher, arrivals = dispatching(2, [about(0, 1), about(1, 2)])
    first = await dispatcher.next_batch()
    arrivals.arrive(about(0, 3), about(2, 4))
    assert tags(await dispatcher.next_batch()) == [4]
    dispatcher.land(first)
    arrivals.arrive(about(0, 5))
    assert tags(await dispatcher.next_batch()) == [3, 5]


async def test_who_waits_goes_on_when_the_other_batch_has_landed() -> None:
    dispatcher, _ = dispatching(2, [about(0, 1), about(1, 2), about(0, 3), about(1, 4)])
    first = await dispatcher.next_batch()
    waiting = asyncio.create_task(dispatcher.next_batch())
    await asyncio.wait({waiting}, timeout=0)
    assert not waiting.done()
    dispatcher.land(first)
    assert tags(await waiting) == [3, 4]


async def test_what_is_held_back_makes_no_batch_smaller() -> None:
    hot = [about(0, tag) for tag in range(3)]
    dispatcher, arrivals = dispatching(3, hot)
    await dispatcher.next_batch()
    arrivals.arrive(*hot[:2], about(1, 3), about(2, 4), about(3, 5))
    assert tags(await dispatcher.next_batch()) == [3]
    arrivals.arrive(about(3, 6))
    assert tags(await dispatcher.next_batch()) == [4, 5, 6]


@pytest.mark.parametrize("steps", range(6))
async def test_who_comes_while_another_wakes_up_does_not_overtake_it(steps: int) -> None:
    """At whichever step of the event loop: what came first is in the one batch that may go."""
    dispatcher, arrivals = dispatching(2, [])
    waking = asyncio.create_task(dispatcher.next_batch())
    await asyncio.wait({waking}, timeout=0)
    arrivals.arrive(about(0, 1), about(1, 2), about(0, 3), about(1, 4))
    for _ in range(steps):
        await asyncio.sleep(0)
    coming = asyncio.create_task(dispatcher.next_batch())
    ended, held_back = await asyncio.wait({waking, coming}, return_when=asyncio.FIRST_COMPLETED)
    [first] = ended
    assert tags(first.result()) == [1, 2]
    dispatcher.land(first.result())
    [second] = held_back
    assert tags(await second) == [3, 4]


async def test_a_wait_that_is_given_up_loses_nothing() -> None:
    dispatcher, arrivals = dispatching(5, [about(0, 1)])
    first = await dispatcher.next_batch()
    arrivals.arrive(about(0, 2))
    waiting = asyncio.create_task(dispatcher.next_batch())
    await asyncio.wait({waiting}, timeout=0)
    waiting.cancel()
    await asyncio.wait({waiting})
    dispatcher.land(first)
    assert tags(await dispatcher.next_batch()) == [2]


async def test_what_can_not_be_read_is_held_back_by_its_request_id_if_it_has_one() -> None:
    named, nameless = delivery(b"{", message_id="x"), delivery(b"{", message_id=None)
    dispatcher, _ = dispatching(2, [named, nameless, nameless, named])
    await dispatcher.next_batch()
    [reading] = await dispatcher.next_batch()
    assert subject_of(reading) is None


@given(
    st.lists(st.integers(0, 3), max_size=40),
    st.integers(1, 5),
    st.lists(st.integers(0, 2), max_size=60),
)
async def test_each_run_keeps_its_order_and_is_in_one_batch_at_a_time(
    runs: list[int], size: int, landings: list[int]
) -> None:
    deliveries = [about(run, tag) for tag, run in enumerate(runs)]
    dispatcher, arrivals = dispatching(size, deliveries)
    flying: list[list[Reading]] = []
    order: dict[UUID | str | None, list[int]] = {}
    plan = iter(landings)
    while arrivals.there or sum(map(len, order.values())) < len(runs):
        coming = asyncio.create_task(dispatcher.next_batch())
        await asyncio.wait({coming}, timeout=0)
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})
            dispatcher.land(flying.pop(0))  # there is one: else nothing would be held back
            continue
        batch = coming.result()
        assert 0 < len(batch) <= size
        subjects = set(map(subject_of, batch))
        assert all(subjects.isdisjoint(map(subject_of, other)) for other in flying)
        for reading in batch:
            order.setdefault(subject_of(reading), []).extend(tags([reading]))
        flying.append(batch)
        for _ in range(min(next(plan, 0), len(flying))):
            dispatcher.land(flying.pop())
    assert all(taken == sorted(taken) for taken in order.values())
