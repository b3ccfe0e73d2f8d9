import asyncio
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.checker import ViolationKind, check
from tests.chaos.checking.planting import PLANTS
from tests.chaos.checking.planting.planted import Plant
from tests.chaos.checking.sound.simulation import sound_history
from tests.chaos.history import History

FEW_SEEDS = 8

some_seeds = st.integers(0, 2**32 - 1)


@cache
def history(seed: int) -> History:
    return asyncio.run(sound_history(seed))


def planted_by(plant: Plant, seed: int, place: int) -> tuple[set[object], set[object]]:
    """What names the fault, and what the checker says."""
    planted = plant(history(seed), Random(place))  # noqa: S311  a place is no secret
    found = {(violation.kind, violation.subject) for violation in check(planted.history)}
    return set(planted.named), set(found)


@settings(deadline=None, max_examples=25)
@given(seed=some_seeds, runs=st.integers(1, 60))
async def test_in_a_sound_history_nothing_is_wrong(seed: int, runs: int) -> None:
    assert check(await sound_history(seed, runs)) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: str(plant.__name__))
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, FEW_SEEDS - 1), place=some_seeds)
def test_a_fault_is_named_and_nothing_else(plant: Plant, seed: int, place: int) -> None:
    named, found = planted_by(plant, seed, place)
    assert found == named


def test_every_kind_of_violation_is_planted_somewhere() -> None:
    named = {kind for plant in PLANTS for kind, _ in plant(history(0), Random(0)).named}  # noqa: S311
    assert named == set(ViolationKind)


def test_a_violation_is_told_with_its_subject_and_what_is_known_of_it() -> None:
    planted = PLANTS[0](history(0), Random(0))  # noqa: S311
    [violation] = check(planted.history)
    assert str(violation).startswith(f"a confirmed request has no decision: {violation.subject}: ")
