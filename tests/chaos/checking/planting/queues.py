"""Queues that still hold something."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from consumer.topology.names import DEAD_LETTERS, DELAY_LEVELS, delay_level, partition_queue
from tests.chaos.checking.planting.planted import Plant, Planted, one_of, planted
from tests.chaos.checking.sound.simulation import PARTITIONS
from tests.chaos.checking.violations import ViolationKind
from tests.chaos.history import History, QueueAtEnd


def _with(history: History, name: str, kind: ViolationKind, **counts: int) -> Planted:
    holding = QueueAtEnd(**{"ready": 0, "unacknowledged": 0, **counts})
    return planted(replace(history, queues={**history.queues, name: holding}), (kind, name))


def a_message_is_left_ready(history: History, rng: Random) -> Planted:
    name = partition_queue(rng.randrange(PARTITIONS))
    return _with(history, name, ViolationKind.LEFT_READY, ready=1)


def a_message_is_left_unacknowledged(history: History, rng: Random) -> Planted:
    name = one_of(rng, history.queues)
    return _with(history, name, ViolationKind.LEFT_UNACKNOWLEDGED, unacknowledged=1)


def a_message_is_left_in_the_ladder(history: History, rng: Random) -> Planted:
    name = delay_level(rng.randrange(DELAY_LEVELS))
    return _with(history, name, ViolationKind.LEFT_IN_LADDER, ready=1)


def a_dead_letter_is_left_in_its_queue(history: History, rng: Random) -> Planted:
    del rng
    return _with(history, DEAD_LETTERS, ViolationKind.LEFT_AS_DEAD_LETTER, ready=1)


def a_queue_is_not_counted(history: History, rng: Random) -> Planted:
    name = one_of(rng, [DEAD_LETTERS, partition_queue(0), delay_level(5)])
    queues = {queue: counts for queue, counts in history.queues.items() if queue != name}
    return planted(replace(history, queues=queues), (ViolationKind.QUEUE_UNCOUNTED, name))


PLANTS: Sequence[Plant] = (
    a_message_is_left_ready,
    a_message_is_left_unacknowledged,
    a_message_is_left_in_the_ladder,
    a_dead_letter_is_left_in_its_queue,
    a_queue_is_not_counted,
)
