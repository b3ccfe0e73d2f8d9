"""How large the benchmark is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long the tables are, and how much is measured.

    Long tables hold 100 runs with four states each, ``copies`` times; those of limits hold ten
    limited tags, with ten runs each that have their slots, ``limit_copies`` times. ``runs`` new
    ones are measured at a time, or ``requests`` on one run: ``rounds`` times what is compared,
    ``hot_rounds`` times what has nothing beside it. Before what is compared ``warm_up_runs`` pay
    for what is slow only the first time.
    """

    copies: int
    limit_copies: int
    warm_up_runs: int
    runs: int
    requests: int
    rounds: int
    hot_rounds: int


FULL = Plan(
    copies=5_000,
    limit_copies=1_000,
    warm_up_runs=150,
    runs=1_500,
    requests=10_000,
    rounds=5,
    hot_rounds=3,
)
