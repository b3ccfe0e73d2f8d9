from uuid import UUID

import pytest

from consumer.topology.names import (
    MAX_DELAY_SECONDS,
    delay_exchange,
    delay_routing_key,
    partition_of,
    slot,
)

RUN = UUID("0190B9B0-7D0A-7C2F-8F57-0123456789AB")


def test_a_runs_slot_is_the_last_two_hex_digits_of_its_id_in_lower_case() -> None:
    assert slot(RUN) == "ab"


@pytest.mark.parametrize(("partitions", "partition"), [(1, 0), (8, 3), (256, 0xAB)])
def test_a_runs_partition_is_its_slot_modulo_the_partitions(
    partitions: int, partition: int
) -> None:
    assert partition_of(RUN, partitions) == partition


def test_a_delay_is_written_in_binary_with_the_partition_behind_it() -> None:
    assert delay_routing_key(5, 3) == "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.1.3"


@pytest.mark.parametrize(
    ("seconds", "level"), [(1, 0), (2, 1), (3, 1), (2**27, 27), (MAX_DELAY_SECONDS, 27)]
)
def test_a_delay_enters_the_ladder_at_its_highest_bit(seconds: int, level: int) -> None:
    assert delay_exchange(seconds) == f"pointsman.delay.{level}"


@pytest.mark.parametrize("seconds", [0, -1, MAX_DELAY_SECONDS + 1])
def test_no_delay_is_shorter_than_a_second_or_longer_than_the_ladder(seconds: int) -> None:
    with pytest.raises(ValueError, match=str(seconds)):
        delay_exchange(seconds)
