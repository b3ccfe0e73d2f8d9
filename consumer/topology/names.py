"""What exchanges and queues are called, and by which keys messages find their way among them."""

from uuid import UUID

REQUESTS = "pointsman.requests"
UNROUTED = "pointsman.unrouted"
DECISIONS = "pointsman.decisions"
DEAD_LETTERS = "pointsman.dead-letters"
DELAY = "pointsman.delay"
DELIVER = f"{DELAY}.deliver"

SLOTS = 256
MAX_PARTITIONS = SLOTS

DELAY_LEVELS = 28
MAX_DELAY_SECONDS: int = 2**DELAY_LEVELS - 1


def slot(run_id: UUID) -> str:
    """The routing key of the run's requests: the last two hex digits of its id, in lower case."""
    return run_id.hex[-2:]


def partition_of(run_id: UUID, partitions: int) -> int:
    """The number of the one partition, of so many, that governs the run."""
    return run_id.bytes[-1] % partitions


def partition_queue(partition: int) -> str:
    """The queue that holds a partition's requests."""
    return f"{REQUESTS}.{partition}"


def delay_level(level: int) -> str:
    """What the exchange and the queue of one level of the ladder are both called."""
    return f"{DELAY}.{level}"


def delay_exchange(seconds: int) -> str:
    """Where a delay enters the ladder: at the level of its highest set bit.

    ``seconds`` is 1 to ``MAX_DELAY_SECONDS``.
    """
    if not 1 <= seconds <= MAX_DELAY_SECONDS:
        raise ValueError(f"a delay lasts 1 to {MAX_DELAY_SECONDS} whole seconds, not {seconds}")
    return delay_level(seconds.bit_length() - 1)


def delay_routing_key(seconds: int, partition: int) -> str:
    """The delay in binary, a word for each bit, and then the partition to which it leads."""
    bits = f"{seconds:0{DELAY_LEVELS}b}"
    return f"{'.'.join(bits)}.{partition}"
