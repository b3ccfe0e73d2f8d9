"""Rates in long tables beside those in short ones, and where all asks for the same row."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID, uuid4

from benchmarks.pace import ACCEPTED, Pace, middle, pace
from benchmarks.sizes.plan import Plan
from benchmarks.sizes.requests import TAGS, families, holders, in_a_row, new_runs
from benchmarks.sizes.stage import Stage, fill, rows
from persistence.schema import (
    ConcurrencyLimitRow,
    ConcurrencySlotRow,
    DecisionRow,
    RunRow,
    RunStateRow,
)
from rules.identifiers import uuid7
from tests.integration.world import World

_WIDE, _ROOM = "wide", 1_000_000
_NARROW, _NARROW_ROOM = "narrow", 10
_DELAYED = ACCEPTED | {"delay"}
_AFTER_THE_BENCHMARK = 86_400

Case: TypeAlias = Callable[[int], Awaitable[Pace]]
"""Measures once, with so many runs."""

Part: TypeAlias = Callable[[Stage, Plan], AsyncIterator["Measured"]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, each round's pace, and the median rate as a part of another one's."""

    name: str
    paces: Sequence[Pace]
    ratio: float | None = None

    @property
    def pace(self) -> Pace:
        """The round with the median rate."""
        return middle(self.paces)


async def by_runs(stage: Stage, plan: Plan) -> AsyncIterator[Measured]:
    """Many runs with all that is on record of them, beside none; new ones by ids of two kinds."""
    empty, full = await stage.world(), await stage.world()
    await fill(full, families(), plan.copies)
    runs, states, decisions = [await rows(full, row) for row in (RunRow, RunStateRow, DecisionRow)]
    long = f"{runs:,} runs, {states:,} states, {decisions:,} decisions"
    for make_id, ids in ((uuid7, ""), (uuid4, ", random ids")):
        cases = [_governing(world, make_id=make_id) for world in (empty, full)]
        for measured in await _in_turn([f"empty tables{ids}", f"{long}{ids}"], cases, plan):
            yield measured


async def by_limits(stage: Stage, plan: Plan) -> AsyncIterator[Measured]:
    """Many limited tags with many holders, beside the few that all measured runs have two of."""
    worlds = [await stage.world(dict.fromkeys(TAGS, _ROOM)) for _ in range(2)]
    await fill(worlds[1], holders(), plan.limit_copies)
    names = [
        f"{await rows(world, ConcurrencyLimitRow):,} limited tags,"
        f" {await rows(world, ConcurrencySlotRow):,} held slots"
        for world in worlds
    ]
    for measured in await _in_turn(names, [_governing(each, tags=TAGS) for each in worlds], plan):
        yield measured


async def by_one_row(stage: Stage, plan: Plan) -> AsyncIterator[Measured]:
    """One run that all is asked of, and one limited tag that all runs have."""
    world = await stage.world({_WIDE: _ROOM, _NARROW: _NARROW_ROOM})

    async def one_run(_runs: int) -> Pace:
        return await pace(world, in_a_row(plan.requests))

    async def narrow_tag(runs: int) -> Pace:
        bodies = new_runs(runs, [_NARROW], steps=("PENDING", "RUNNING"))
        return await pace(world, bodies, _DELAYED, slot_delay_seconds=_AFTER_THE_BENCHMARK)

    cases: dict[str, Case] = {
        f"one run, {plan.requests:,} requests in a row": one_run,
        "one limited tag for all, room for all": _governing(world, tags=[_WIDE]),
        f"one limited tag for all, {_NARROW_ROOM} slots, the others delayed": narrow_tag,
    }
    for name, case in cases.items():
        yield Measured(name, [await case(plan.runs) for _ in range(plan.hot_rounds)])


async def _in_turn(names: Sequence[str], cases: Sequence[Case], plan: Plan) -> list[Measured]:
    """Each case in every round, forth and back, so that what changes meanwhile meets all alike."""
    paces: list[list[Pace]] = [[] for _ in cases]
    if plan.warm_up_runs:
        for case in cases:
            await case(plan.warm_up_runs)
    for number in range(plan.rounds):
        for index in range(len(cases))[:: -1 if number % 2 else 1]:
            paces[index].append(await cases[index](plan.runs))
    first = middle(paces[0]).per_second
    ratios = [None, *(middle(each).per_second / first for each in paces[1:])]
    return [Measured(*each) for each in zip(names, paces, ratios, strict=True)]


def _governing(world: World, tags: Sequence[str] = (), make_id: Callable[[], UUID] = uuid7) -> Case:
    """New task runs, from their first state to their last; ids of requests are made alike."""
    return lambda runs: pace(world, new_runs(runs, tags, make_id=make_id), make_id=make_id)


PARTS: Sequence[Part] = (by_runs, by_limits, by_one_row)


async def measure(stage: Stage, plan: Plan) -> AsyncIterator[Measured]:
    """All parts, each case as it is measured."""
    for part in PARTS:
        async for measured in part(stage, plan):
            yield measured
