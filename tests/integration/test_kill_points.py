"""A consumer that is killed at any step loses nothing, and nothing is done twice."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from consumer.wire.names import Code
from consumer.worker.setbacks import UnfinishedError
from deploy.servers import PostgresServer, RabbitServer
from tests.chaos.checker import check
from tests.chaos.history import History
from tests.integration.conftest import prepared
from tests.integration.kill_points.load import DEAD_LETTERS, DECISIONS
from tests.integration.kill_points.points import POINTS
from tests.integration.kill_points.stage import (
    Audience,
    Doomed,
    audience,
    doomed,
    survivor,
)
from tests.integration.world import World
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost, fresh_vhost

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_A_TIME = 3
"""So many trials go on beside each other, since each is mostly waiting."""


@dataclass(frozen=True, slots=True)
class Plan:
    """At which passing of which point a consumer is killed, where need be one after the other.

    ``stands_by``: another one is there from the start and takes over, else it comes afterwards.
    ``condemned``: how many messages may seem to end the process, being begun a third time; more
    than one number where it hangs on how messages fall into batches.
    """

    deaths: tuple[tuple[str, int], ...]
    stands_by: bool = False
    condemned: tuple[int, ...] = (0,)

    def __str__(self) -> str:
        return "-".join(f"{point}-{passing}" for point, passing in self.deaths)


REDELIVERED_ONLY = frozenset({"begun-counted", "suspect-counted"})
ALONE = (
    *(Plan(((point, 1),)) for point in POINTS if point not in REDELIVERED_ONLY),
    Plan((("batch-taken", 1), ("begun-counted", 1))),
    *(
        # None where what the suspect asks is decided already, by another copy of it or before.
        Plan((("batch-taken", 1), (second, 1), ("suspect-counted", 1)), condemned=(0, 1))
        for second in ("begun-counted", "batch-committed")
    ),
    Plan((("runs-locked", 4),)),
    Plan((("batch-committed", 3),)),
    Plan((("decisions-unanswered", 9),)),
    Plan((("settled", 3),)),
)
TAKEN_OVER = tuple(
    Plan(((point, 1),), stands_by=True)
    for point in (
        "batch-taken",
        "batch-written",
        "commit-sent",
        "batch-committed",
        "forwards-torn",
        "forwards-unanswered",
        "decisions-unanswered",
        "settling",
        "ack-sent",
        "stopping-intake-closed",
    )
)


async def tried(world: World, plan: Plan, log: Path) -> History:
    """Send a load and kill consumers as planned; what is left when another has done the rest."""
    async with audience(world) as present:
        if plan.stands_by:
            await taken_over(world, present, plan, log)
        else:
            await present.send()
            for point, passing in plan.deaths:
                async with doomed(world, point, passing, log) as dying:
                    await died(dying, point)
            async with survivor(world):
                await present.calm()
        history = await present.history()
        if any(queue.ready for queue in history.queues.values()):
            # A consumer that stops gives back what it has not begun: copies of what was decided.
            async with survivor(world):
                await present.calm()
            history = await present.history()
        return history


async def taken_over(world: World, present: Audience, plan: Plan, log: Path) -> None:
    [(point, passing)] = plan.deaths
    async with doomed(world, point, passing, log) as dying:
        await dying.consuming()
        async with survivor(world):
            await present.send()
            await died(dying, point)
            await present.calm()


async def died(dying: Doomed, point: str) -> None:
    """Wait for the end, and see that it was the one that was meant."""
    assert await dying.ended() == (-signal.SIGKILL, f"killed at {point}")


@pytest.fixture(scope="module")
def places(broker: RabbitServer, postgres: PostgresServer) -> Iterator[list[tuple[Vhost, str]]]:
    with ExitStack() as stack:
        yield [
            (
                stack.enter_context(fresh_vhost(broker)),
                stack.enter_context(fresh_database(postgres)),
            )
            for _ in range(AT_A_TIME)
        ]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def trials(
    request: pytest.FixtureRequest,
    places: list[tuple[Vhost, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Mapping[Plan, "asyncio.Task[History]"]]:
    """The trials of all tests that are to run, each in one of some worlds."""
    worlds: asyncio.Queue[World] = asyncio.Queue()
    for vhost, url in places:
        worlds.put_nowait(await prepared(vhost, url))
    folder = tmp_path_factory.mktemp("logs")

    async def in_a_world(plan: Plan) -> History:
        world = await worlds.get()
        try:
            return await tried(world, plan, folder / f"{plan}.log")
        finally:
            worlds.put_nowait(world)

    running = {plan: asyncio.create_task(in_a_world(plan)) for plan in wanted(request)}
    yield running
    for task in running.values():
        task.cancel()
    await asyncio.gather(*running.values(), return_exceptions=True)


def wanted(request: pytest.FixtureRequest) -> Iterator[Plan]:
    """The plans of those of this module's tests that are to run."""
    for item in request.session.items:
        if item.path == request.path and isinstance(item, pytest.Function):
            plan = item.callspec.params["plan"]
            assert isinstance(plan, Plan)
            yield plan


def flawless(history: History, condemned: tuple[int, ...] = (0,)) -> None:
    """See that all was done that was to be done, and once."""
    assert [str(violation) for violation in check(history)] == []
    assert {row.decision for row in history.rows.decisions} == DECISIONS
    unfinished = sum(
        UnfinishedError.__name__.encode() in row.body for row in history.rows.decisions
    )
    assert unfinished in condemned
    letters = Counter(letter.reason for letter in history.rows.letters)
    assert letters in expected_letters(unfinished)


def expected_letters(condemned: int) -> list[Counter[str]]:
    """How many letters of each reason; the condemned may be one that would be a letter anyway."""
    usual = Counter[str](DEAD_LETTERS)
    if not condemned:
        return [usual]
    failed = Counter[str]({Code.FAILED: condemned})
    return [usual + failed, *(usual - Counter([reason]) + failed for reason in usual)]


@pytest.mark.parametrize("plan", ALONE, ids=str)
async def test_killed_there_it_loses_nothing_and_does_nothing_twice(
    trials: Mapping[Plan, "asyncio.Task[History]"], plan: Plan
) -> None:
    flawless(await trials[plan], plan.condemned)


@pytest.mark.parametrize("plan", TAKEN_OVER, ids=str)
async def test_killed_there_beside_another_it_leaves_the_other_all_that_is_to_do(
    trials: Mapping[Plan, "asyncio.Task[History]"], plan: Plan
) -> None:
    flawless(await trials[plan])
