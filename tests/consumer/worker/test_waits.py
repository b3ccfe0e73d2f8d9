from consumer.worker.patience import growing_wait
from consumer.worker.setbacks import backoff_seconds


def test_a_wait_for_the_broker_grows_up_to_ten_seconds_however_long_it_is_away() -> None:
    waits = [growing_wait(tries) for tries in range(1, 9)]
    assert waits == sorted(waits)
    assert waits[0] < 1
    assert growing_wait(1_000_000) == 10


def test_a_failed_message_waits_twice_as_long_each_time_up_to_an_hour() -> None:
    assert [backoff_seconds(failures) for failures in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert backoff_seconds(1_000) == 3_600
