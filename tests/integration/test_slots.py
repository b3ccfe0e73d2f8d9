"""Slots through running consumers: never too many taken, none taken in part, none kept for nothing.

All requests say ``on_delay: return``, so that a delay is an answer and nothing comes back later.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from deploy.servers import RabbitServer
from persistence.database import Database, open_database
from persistence.limits import list_limits, set_limit
from rules.identifiers import uuid7
from tests.integration.processes import consuming
from tests.integration.world import Watcher, World, proposal, watching
from tests.servers.vhosts import fresh_vhost

TAGS = tuple(f"t{number:02}" for number in range(40))

Tagged = dict[UUID, Sequence[str]]
"""Task runs, and what tags they have."""


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    async with open_database(world.database_url) as opened:
        yield opened


@pytest.fixture
def second_world(world: World, broker: RabbitServer) -> Iterator[World]:
    """The same database, but queues apart: there another consumer is as active as the first."""
    with fresh_vhost(broker) as vhost:
        yield World(vhost.url, world.database_url)


@pytest.fixture
async def watcher(world: World) -> AsyncIterator[Watcher]:
    """What a consumer decides that runs all the time."""
    async with consuming(**world.settings), watching(world.amqp_url) as watching_it:
        yield watching_it


async def held(database: Database) -> dict[str, set[UUID]]:
    """Who holds slots, by tag."""
    return {
        limit.tag: {holder.task_run_id for holder in limit.holders}
        for limit in await list_limits(database)
    }


def step(state: str, run_id: UUID, tags: Sequence[str], **rest: Any) -> dict[str, Any]:
    create = {"tags": list(tags), "policy": {"retries": rest.pop("retries", None)}}
    return proposal(state, run_id, create=create, on_delay="return", **rest)


async def propose(watcher: Watcher, state: str, runs: Tagged) -> Mapping[UUID, str]:
    """Propose it for each run, all at once; what was decided on each."""
    requests = [watcher.request(step(state, run, runs[run]), str(uuid7())) for run in runs]
    if requests:
        await watcher.send_all(requests)
    decisions = await watcher.decisions(len(requests))
    return {UUID(each["run"]["id"]): each["decision"] for each in decisions}


async def test_two_consumers_overfill_no_limit_and_take_all_slots_of_a_run_or_none(
    world: World, second_world: World, database: Database
) -> None:
    """Each tag has one slot, and each run needs those of two neighbouring tags."""
    for tag in TAGS:
        await set_limit(database, tag, 1)
    pairs = [(tag, TAGS[number - 1]) for number, tag in enumerate(TAGS)]
    async with (
        consuming(**world.settings, batch_size=5),
        consuming(**second_world.settings, batch_size=5),
        watching(world.amqp_url) as one,
        watching(second_world.amqp_url) as other,
    ):
        sides = [Side(each, {uuid7(): pair for pair in pairs}) for each in (one, other)]
        while any(side.waiting for side in sides):
            await asyncio.gather(*(side.start() for side in sides))
            await see_slots(database, sides)
            await asyncio.gather(*(side.finish() for side in sides))
    assert not any((await held(database)).values())


@dataclass(slots=True)
class Side:
    """A consumer's runs: those that wait for their slots, and those that run."""

    watcher: Watcher
    waiting: Tagged
    running: Tagged = field(default_factory=dict)

    async def start(self) -> None:
        """Let all run that may."""
        answers = await propose(self.watcher, "RUNNING", self.waiting)
        wanted, self.waiting = self.waiting, {}
        for run, tags in wanted.items():
            (self.running if answers[run] == "accept" else self.waiting)[run] = tags

    async def finish(self) -> None:
        """Let all end that run."""
        ending, self.running = self.running, {}
        await propose(self.watcher, "COMPLETED", ending)


async def see_slots(database: Database, sides: Iterable[Side]) -> None:
    """See that who runs has the slots of all its tags, and who waits none, for want of one."""
    tags_of = {run: tags for side in sides for run, tags in side.running.items()}
    holders = await held(database)
    assert holders == {tag: {run for run in tags_of if tag in tags_of[run]} for tag in TAGS}
    assert max(len(runs) for runs in holders.values()) == 1
    for side in sides:
        assert all(any(holders[tag] for tag in tags) for tags in side.waiting.values())


async def test_a_run_that_waits_for_a_retry_holds_no_slot(
    watcher: Watcher, database: Database
) -> None:
    await set_limit(database, "db", 1)
    failing, other = uuid7(), uuid7()
    await watcher.decision(step("RUNNING", failing, ["db"], retries=1))
    assert (await watcher.decision(step("RUNNING", other, ["db"])))["code"] == "limit-reached"
    retried = await watcher.decision(step("FAILED", failing, ["db"]))
    assert (retried["code"], retried["state"]["name"]) == ("retry", "AwaitingRetry")

    assert (await watcher.decision(step("RUNNING", other, ["db"])))["decision"] == "accept"
    assert await held(database) == {"db": {other}}


async def test_a_run_that_finds_one_of_its_tags_full_leaves_the_others_to_others(
    watcher: Watcher, database: Database
) -> None:
    await set_limit(database, "db", 1)
    await set_limit(database, "gpu", 1)
    on_gpu, on_both, on_db = uuid7(), uuid7(), uuid7()
    await watcher.decision(step("RUNNING", on_gpu, ["gpu"]))
    assert (await watcher.decision(step("RUNNING", on_both, ["db", "gpu"])))["decision"] == "delay"

    assert (await watcher.decision(step("RUNNING", on_db, ["db"])))["decision"] == "accept"
    assert await held(database) == {"db": {on_db}, "gpu": {on_gpu}}


async def test_consumers_that_are_killed_leave_no_slot_behind_and_count_none_twice(
    world: World, database: Database
) -> None:
    """Every other run ends; all that is left are the slots of those that run."""
    await set_limit(database, "db", 30)
    runs = [uuid7() for _ in range(60)]
    ending = set(runs[::2])
    steps = [(run, "RUNNING") for run in runs] + [(run, "COMPLETED") for run in ending]
    decided: dict[str, str] = {}
    async with watching(world.amqp_url) as watcher:
        await watcher.send_all(
            [watcher.request(step(state, run, ["db"]), f"{run}/{state}") for run, state in steps]
        )
        for number in (20, 40, 60):
            async with consuming(**world.settings, batch_size=10) as consumer:
                await hear(watcher, decided, number)
                consumer.send(signal.SIGKILL)
                await consumer.ended()
        async with consuming(**world.settings):
            await hear(watcher, decided, len(steps))

    running = {run for run in runs if decided[f"{run}/RUNNING"] == "accept"} - ending
    assert 0 < len(running) <= 30
    assert await held(database) == {"db": running}


async def hear(watcher: Watcher, decided: dict[str, str], number: int) -> None:
    """Hear what was decided until it is known of so many requests; some are told twice."""
    while len(decided) < number:
        for each in await watcher.decisions(1):
            decided[each["request_id"]] = each["decision"]
