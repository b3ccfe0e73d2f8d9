import os

import pytest

from consumer.demo.child import consumer_process
from consumer.demo.errors import ConsumerFailedError

NOBODY = {**os.environ, "POINTSMAN_AMQP_URL": "amqp://127.0.0.1:1/"}
WRONG = {**os.environ, "POINTSMAN_PARTITIONS": "many"}


async def test_a_consumer_that_does_not_start_is_quoted() -> None:
    with pytest.raises(ConsumerFailedError, match="exit code 1") as failed:
        async with consumer_process(WRONG, stop_seconds=30) as consumer:
            await consumer.serves()

    assert "POINTSMAN_PARTITIONS" in failed.value.log_lines[-1]


async def test_a_consumer_that_dies_is_an_error_while_it_is_needed() -> None:
    with pytest.raises(ConsumerFailedError, match="exit code 1"):
        async with consumer_process(WRONG, stop_seconds=30) as consumer:
            await consumer.dies()


async def test_a_consumer_that_does_not_end_when_asked_is_killed() -> None:
    with pytest.raises(ConsumerFailedError, match="did not end within 0 s"):
        async with consumer_process(NOBODY, stop_seconds=0):
            pass
