from hypothesis import given
from hypothesis import strategies as st

from consumer.broker.ledger import Ledger


def test_what_is_settled_in_order_can_be_acknowledged_at_once() -> None:
    ledger = Ledger()

    assert ledger.settle([1, 2, 3]) == 3
    assert ledger.settle([4]) == 4


def test_an_unsettled_delivery_holds_back_all_behind_it() -> None:
    ledger = Ledger()

    assert ledger.settle([2, 3]) is None
    assert ledger.settle([5]) is None
    assert ledger.settle([1]) == 3
    assert ledger.settle([4]) == 5


def test_settling_twice_changes_nothing() -> None:
    ledger = Ledger()
    ledger.settle([1, 3])

    assert ledger.settle([1]) is None
    assert ledger.settle([3]) is None
    assert ledger.settle([2]) == 3


def test_settling_nothing_acknowledges_nothing() -> None:
    assert Ledger().settle([]) is None


@given(st.permutations(range(1, 12)), st.integers(min_value=1, max_value=5))
def test_whatever_the_order_nothing_unsettled_is_acknowledged_and_all_is_in_the_end(
    order: list[int], portion: int
) -> None:
    ledger = Ledger()
    settled: set[int] = set()
    acknowledged = 0

    for start in range(0, len(order), portion):
        tags = order[start : start + portion]
        settled.update(tags)
        reached = ledger.settle(tags)
        if reached is not None:
            assert reached > acknowledged
            assert settled.issuperset(range(1, reached + 1))
            acknowledged = reached

    assert acknowledged == len(order)
