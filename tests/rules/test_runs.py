"""Runs: what is governed."""

import pytest
from pydantic import ValidationError

from rules import FlowRun, RunKind, RunPolicy, TaskRun
from rules.identifiers import uuid7
from rules.states import Running


def test_a_run_knows_its_kind() -> None:
    assert FlowRun(id=uuid7()).kind is RunKind.FLOW
    assert TaskRun(id=uuid7()).kind is RunKind.TASK


def test_a_runs_state_id_is_that_of_its_state() -> None:
    state = Running()

    assert TaskRun(id=uuid7()).state_id is None
    assert TaskRun(id=uuid7(), state=state).state_id == state.id


@pytest.mark.parametrize(
    "policy",
    [{"retries": -1}, {"retries": 2**31}, {"retry_delay": -0.1}, {"retry_delay": "inf"}, {"x": 1}],
)
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RunPolicy.model_validate(policy)
