from dataclasses import replace

from consumer.broker.messages import Delivery
from consumer.worker.serving import portions
from tests.consumer.wire.messages import delivery


def deliveries(marks: str) -> list[Delivery]:
    """A delivery a character, redelivered where it is an ``r``."""
    return [
        replace(delivery(), tag=place, redelivered=mark == "r")
        for place, mark in enumerate(marks, start=1)
    ]


def cut(marks: str) -> list[list[int]]:
    return [[each.tag for each in portion] for portion in portions(deliveries(marks))]


def test_what_came_for_the_first_time_stays_together() -> None:
    assert cut("...") == [[1, 2, 3]]


def test_what_came_before_is_by_itself_and_the_order_stays() -> None:
    assert cut("r..rr.") == [[1], [2, 3], [4], [5], [6]]


def test_nothing_is_no_portion() -> None:
    assert cut("") == []
