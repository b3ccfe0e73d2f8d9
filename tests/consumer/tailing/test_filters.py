from uuid import UUID

import pytest

from consumer.tailing.filters import DecisionFilter

ONE = UUID("0190b9b0-7d0a-7c2f-8f57-0123456789ab")
OTHER = UUID("0190b9b0-7d0a-7c2f-8f57-0123456789ac")


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (DecisionFilter(), ["*.*.*.*"]),
        (DecisionFilter(kinds=("flow",)), ["flow.*.*.*"]),
        (DecisionFilter(decisions=("abort", "delay")), ["*.abort.*.*", "*.delay.*.*"]),
        (DecisionFilter(run_ids=(ONE,)), [f"*.*.*.{ONE}"]),
        (
            DecisionFilter(kinds=("task",), decisions=("abort",), run_ids=(ONE, OTHER)),
            [f"task.abort.*.{ONE}", f"task.abort.*.{OTHER}"],
        ),
        (DecisionFilter(kinds=("task", "task")), ["task.*.*.*"]),
        (DecisionFilter(codes=("terminal",)), ["*.*.*.*"]),
    ],
)
def test_the_broker_sends_no_more_than_routing_keys_can_tell(
    chosen: DecisionFilter, keys: list[str]
) -> None:
    assert list(chosen.binding_keys()) == keys


def test_codes_are_told_from_the_decision_itself() -> None:
    chosen = DecisionFilter(codes=("terminal", "none"))
    assert chosen.takes({"code": "terminal"})
    assert chosen.takes({"code": None})
    assert chosen.takes({})
    assert not chosen.takes({"code": "redundant"})
    assert DecisionFilter().takes({"code": "redundant"})
