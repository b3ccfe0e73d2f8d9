"""Chance that comes again with the same seed."""

from random import Random


def generator(*seed: object) -> Random:
    """What always throws the same dice for the same seed."""
    return Random("/".join(map(str, seed)))  # noqa: S311 - it keeps no secret


def another(rng: Random) -> Random:
    """One more, for what goes on beside the owner of the first."""
    return generator(rng.random())
