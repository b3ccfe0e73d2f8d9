"""When all is quiet, no queue holds anything."""

from collections.abc import Iterator

from consumer.topology.names import DEAD_LETTERS, DELAY_LEVELS, delay_level, partition_queue
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import Queues

_LADDER = frozenset(delay_level(level) for level in range(DELAY_LEVELS))


def check_queues(queues: Queues) -> Iterator[Violation]:
    """See that each queue was counted and found empty."""
    for name in sorted({partition_queue(0), DEAD_LETTERS, *_LADDER} - queues.keys()):
        yield Violation(ViolationKind.QUEUE_UNCOUNTED, name, "nothing is known of it")
    for name, queue in queues.items():
        if queue.ready:
            yield Violation(_left(name), name, f"{queue.ready} ready")
        if queue.unacknowledged:
            details = f"{queue.unacknowledged} unacknowledged"
            yield Violation(ViolationKind.LEFT_UNACKNOWLEDGED, name, details)


def _left(name: str) -> ViolationKind:
    if name in _LADDER:
        return ViolationKind.LEFT_IN_LADDER
    if name == DEAD_LETTERS:
        return ViolationKind.LEFT_AS_DEAD_LETTER
    return ViolationKind.LEFT_READY
