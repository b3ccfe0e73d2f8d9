"""The verdict, on series made up to be flat, to leak, or to step."""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from tests.soak import gauges
from tests.soak.gauges import of_consumer
from tests.soak.samples import AT, Point, Samples
from tests.soak.verdict import (
    LEAST_MINUTES,
    MEMORY_MIB_PER_HOUR,
    MIB,
    Evidence,
    judge,
    memory_finding,
    second_half,
    slope,
)

HOUR = 3_600
EVERY = 5


def series(value: Callable[[float], float], seconds: int = HOUR) -> list[Point]:
    return [Point(at, value(at)) for at in range(0, seconds, EVERY)]


def noisy_plateau() -> Callable[[float], float]:
    rng = random.Random(7)  # noqa: S311 - noise
    return lambda _: 70 * MIB + rng.uniform(-MIB, MIB)


def holds(points: list[Point]) -> bool | None:
    return memory_finding("memory", second_half(points)).holds


def test_a_plateau_is_flat() -> None:
    assert holds(series(noisy_plateau())) is True


def test_growth_in_the_first_half_is_a_warm_up() -> None:
    assert holds(series(lambda at: 40 * MIB * min(1, at / HOUR * 3))) is True


def test_a_leak_is_not_flat() -> None:
    plateau = noisy_plateau()
    leak = 2 * MEMORY_MIB_PER_HOUR * MIB / HOUR
    assert holds(series(lambda at: plateau(at) + leak * at)) is False


@pytest.mark.parametrize("after", [0.55, 0.75, 0.95])
def test_one_step_after_a_fault_is_no_leak(after: float) -> None:
    plateau = noisy_plateau()
    step = 10 * MIB
    assert holds(series(lambda at: plateau(at) + step * (at > after * HOUR))) is True


def test_a_step_after_each_fault_is_a_leak() -> None:
    step, between_faults = 2 * MIB, 180
    assert holds(series(lambda at: 70 * MIB + step * (at // between_faults))) is False


def test_spikes_are_no_leak() -> None:
    assert holds(series(lambda at: 70 * MIB + 50 * MIB * (at % 600 < 60))) is True


def test_memory_given_back_is_no_leak() -> None:
    assert holds(series(lambda at: (90 - at / HOUR * 20) * MIB)) is True


def test_a_short_run_is_not_judged_by_its_memory() -> None:
    seconds = int(LEAST_MINUTES * 60)
    assert holds(series(lambda at: at * MIB, seconds)) is None


def test_a_slope_is_told_by_the_hour() -> None:
    assert slope(series(lambda at: at * 3 / HOUR)) == pytest.approx(3)


def test_a_single_point_has_no_slope() -> None:
    assert slope([Point(0, 1)]) == 0


QUIET = {
    gauges.CONNECTIONS: 5.0,
    gauges.CHANNELS: 23.0,
    gauges.SUBSCRIPTIONS: 20.0,
    gauges.SESSIONS: 3.0,
    gauges.REQUESTS_WAITING: 0.0,
    gauges.LADDER_WAITING: 0.0,
    gauges.LETTERS_WAITING: 0.0,
    gauges.DECISIONS_WAITING: 0.0,
    **{
        of_consumer(column, number): value
        for number, (column, value) in product(
            (1, 2),
            (
                (gauges.PLAIN_HANDLES, 6.0),
                (gauges.READY, 1.0),
            ),
        )
    },
}


def evidence(last: dict[str, float] | None = None) -> Evidence:
    plateau = noisy_plateau()
    rows = [
        {AT: float(at), of_consumer(gauges.USS, 1): plateau(at), of_consumer(gauges.USS, 2): MIB}
        for at in range(0, HOUR, EVERY)
    ]
    return Evidence(samples=Samples(rows), first=QUIET, last=QUIET | (last or {}), exits=(0, 0))


def broken(of: Evidence) -> list[str]:
    return [finding.what for finding in judge(of) if finding.holds is False]


def test_a_run_without_a_fault_of_its_own_is_flat() -> None:
    assert [finding.holds for finding in judge(evidence())] == [True] * len(judge(evidence()))


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (gauges.CONNECTIONS, "connections to the broker"),
        (gauges.CHANNELS, "channels"),
        (gauges.SUBSCRIPTIONS, "subscriptions"),
        (of_consumer(gauges.PLAIN_HANDLES, 2), "consumer 2: file handles that are no sockets"),
        (gauges.LADDER_WAITING, "left in queues of ladder"),
    ],
)
def test_one_more_at_the_last_quiet_moment_is_not_flat(column: str, what: str) -> None:
    assert broken(evidence({column: QUIET[column] + 1})) == [what]


def test_sessions_may_fill_the_pool_and_no_more() -> None:
    assert broken(evidence({gauges.SESSIONS: 10})) == []
    assert broken(evidence({gauges.SESSIONS: 11})) == ["sessions on the database"]


def test_a_consumer_that_is_not_ready_at_the_end_is_told() -> None:
    assert broken(evidence({of_consumer(gauges.READY, 1): 0})) == ["consumer 1: ready at the end"]


def test_what_could_not_be_counted_is_not_taken_for_equal() -> None:
    unknown = replace(evidence(), first={}, last={})
    assert "channels" in broken(unknown)
    assert "consumer 1: file handles that are no sockets" in broken(unknown)
    assert "left in queues of requests" in broken(unknown)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"missing": 1}, "confirmed requests without a decision"),
        ({"unconfirmed": 1}, "requests that were never confirmed"),
        (
            {"surprises": {"abort terminal where accept was due": 1}},
            "decisions other than were due",
        ),
        ({"failed_faults": ("broker restarted: no",)}, "faults that could not be made"),
        ({"exits": (0, None)}, "consumer 2: exit code after SIGTERM"),
        ({"exits": (1, 0)}, "consumer 1: exit code after SIGTERM"),
    ],
)
def test_each_single_wrong_is_found(wrong: dict[str, Any], what: str) -> None:
    assert broken(replace(evidence(), **wrong)) == [what]
