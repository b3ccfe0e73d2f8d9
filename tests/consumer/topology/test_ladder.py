import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.topology.description import describe
from consumer.topology.names import MAX_DELAY_SECONDS, delay_exchange, delay_routing_key
from tests.consumer.topology.simulation import Arrival, Simulation

PARTITIONS = 256
LADDER = Simulation(describe(PARTITIONS))


def arrivals(seconds: int, partition: int) -> list[Arrival]:
    return LADDER.publish(delay_exchange(seconds), delay_routing_key(seconds, partition))


@pytest.mark.parametrize(
    "seconds",
    [1, 2, 3, 4, 5, 30, 3600, 86_399, 2**16, 2**27 - 1, 2**27, 2**27 + 1, MAX_DELAY_SECONDS],
)
@pytest.mark.parametrize("partition", [0, 1, 7, 10, 255])
def test_a_delayed_message_arrives_once_in_its_partition_after_just_so_long(
    seconds: int, partition: int
) -> None:
    assert arrivals(seconds, partition) == [
        Arrival(f"pointsman.requests.{partition}", seconds * 1000)
    ]


@given(
    seconds=st.integers(min_value=1, max_value=MAX_DELAY_SECONDS),
    partition=st.integers(min_value=0, max_value=PARTITIONS - 1),
)
def test_so_does_any_other(seconds: int, partition: int) -> None:
    assert arrivals(seconds, partition) == [
        Arrival(f"pointsman.requests.{partition}", seconds * 1000)
    ]


def test_a_level_waits_as_long_as_its_bit_weighs_and_hands_on_to_the_next_lower() -> None:
    queues = {queue.name: queue.arguments for queue in describe(1).queues}

    for level in range(28):
        below = f"pointsman.delay.{level - 1}" if level else "pointsman.delay.deliver"
        assert queues[f"pointsman.delay.{level}"] == {
            "x-queue-type": "quorum",
            "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": below,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
