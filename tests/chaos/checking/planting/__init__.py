"""Faults that are planted in sound histories, each of them alone."""

from collections.abc import Sequence

from tests.chaos.checking.planting import letters, messages, queues, requests, slots, states
from tests.chaos.checking.planting.planted import Plant

PLANTS: Sequence[Plant] = (
    *requests.PLANTS,
    *messages.PLANTS,
    *states.PLANTS,
    *slots.PLANTS,
    *letters.PLANTS,
    *queues.PLANTS,
)
"""Each is named by what it does."""
