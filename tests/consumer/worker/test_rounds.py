from datetime import UTC, datetime, timedelta

import pytest

from consumer.topology.names import MAX_DELAY_SECONDS
from consumer.worker.rounds import Router, seconds_until
from tests.consumer.wire.messages import RUN, read

ROUTER = Router(partitions=8)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_delayed_request_enters_the_ladder_at_its_highest_bit() -> None:
    sent = ROUTER.round(read().envelope, RUN, seconds=5, attempt=1)
    assert sent.exchange == "pointsman.delay.2"
    assert sent.routing_key.endswith("0.1.0.1.3")
    assert sent.properties.headers["pointsman-attempt"] == 1


def test_a_request_whose_time_has_come_goes_straight_to_its_partition() -> None:
    sent = ROUTER.round(read().envelope, RUN, seconds=0, attempt=1)
    assert (sent.exchange, sent.routing_key) == ("pointsman.requests", "ab")


def test_no_delay_is_longer_than_the_ladder() -> None:
    sent = ROUTER.round(read().envelope, RUN, seconds=2**40, attempt=1)
    longest = ROUTER.round(read().envelope, RUN, seconds=MAX_DELAY_SECONDS, attempt=1)
    assert sent.routing_key == longest.routing_key


def test_the_body_goes_round_as_it_came() -> None:
    came = read().envelope
    assert ROUTER.round(came, RUN, seconds=1, attempt=1).body == came.delivery.body


def test_a_request_belongs_to_the_partition_of_its_runs_last_two_digits() -> None:
    assert not ROUTER.is_elsewhere(0xAB % 8, RUN)
    assert ROUTER.is_elsewhere(0, RUN)


def test_a_message_of_no_partition_is_nowhere_else() -> None:
    assert not ROUTER.is_elsewhere(None, RUN)


@pytest.mark.parametrize(("ahead", "seconds"), [(-5, 0), (0, 0), (0.001, 1), (1, 1), (1.5, 2)])
def test_seconds_are_whole_and_rounded_up(ahead: float, seconds: int) -> None:
    assert seconds_until(NOW + timedelta(seconds=ahead), NOW) == seconds
