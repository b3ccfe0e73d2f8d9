"""States: immutable, with what was left out filled in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from rules import StateDetails, StateType
from rules.moments import utc_now
from rules.states import (
    AwaitingRetry,
    Cancelled,
    Completed,
    Crashed,
    Failed,
    Late,
    Pending,
    Retrying,
    Running,
    Scheduled,
    State,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}


@pytest.mark.parametrize(
    ("make", "state_type", "name"),
    [
        (Scheduled, StateType.SCHEDULED, "Scheduled"),
        (AwaitingRetry, StateType.SCHEDULED, "AwaitingRetry"),
        (Late, StateType.SCHEDULED, "Late"),
        (Pending, StateType.PENDING, "Pending"),
        (Running, StateType.RUNNING, "Running"),
        (Retrying, StateType.RUNNING, "Retrying"),
        (Completed, StateType.COMPLETED, "Completed"),
        (Failed, StateType.FAILED, "Failed"),
        (Cancelled, StateType.CANCELLED, "Cancelled"),
        (Crashed, StateType.CRASHED, "Crashed"),
    ],
)
def test_a_constructor_makes_a_state_of_its_type_and_name(
    make: Callable[[], State], state_type: StateType, name: str
) -> None:
    before = utc_now()
    state = make()

    assert (state.type, state.name) == (state_type, name)
    assert type(state.name) is str
    assert before <= state.timestamp <= utc_now()
    assert (state.message, state.data, state.id.version) == (None, None, 7)


@pytest.mark.parametrize("state_type", StateType)
def test_a_state_knows_what_it_is(state_type: StateType) -> None:
    state = State(type=state_type)

    asked = [kind for kind in StateType if getattr(state, f"is_{kind.lower()}")()]
    assert asked == [state_type]
    assert state.is_final() == (state_type in FINAL)
    assert state.name == state_type.capitalize()


@pytest.mark.parametrize("make", [Scheduled, AwaitingRetry, Late])
def test_a_scheduled_state_is_due_when_it_says_or_else_now(
    make: Callable[..., State],
) -> None:
    before = utc_now()
    at_once, at_noon = make(), make(NOON)

    assert at_once.state_details.scheduled_time is not None
    assert before <= at_once.state_details.scheduled_time <= utc_now()
    assert at_noon.state_details.scheduled_time == NOON


def test_scheduling_keeps_the_other_details() -> None:
    state = Scheduled(NOON, state_details=StateDetails(cache_key="key"))

    assert state.state_details == StateDetails(cache_key="key", scheduled_time=NOON)


def test_other_states_are_not_given_a_scheduled_time() -> None:
    assert Pending().state_details.scheduled_time is None


def test_a_state_cannot_be_changed() -> None:
    for value, field in ((Running(), "name"), (StateDetails(), "cache_key")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, field, "other")


def test_a_revised_state_keeps_its_id_and_leaves_the_first_as_it_was() -> None:
    state = Running(message="first", state_details=StateDetails(cache_key="key"))
    revised = state.revised(message="second").with_details({"cache_key": "other"})

    assert (revised.id, revised.message) == (state.id, "second")
    assert revised.state_details.cache_key == "other"
    assert (state.message, state.state_details.cache_key) == ("first", "key")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "STOPPED"},
        {"type": "RUNNING", "colour": "red"},
        {"type": "RUNNING", "timestamp": "2026-01-01T12:00:00"},
        {"type": "RUNNING", "state_details": {"colour": "red"}},
        {"type": "RUNNING", "state_details": {"cache_key": "k" * 2_001}},
        {"type": "RUNNING", "state_details": {"scheduled_time": "2026-01-01T12:00:00"}},
        {"type": "RUNNING", "data": object()},
    ],
)
def test_a_state_that_is_none_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        State.model_validate(fields)


def test_times_are_kept_in_utc() -> None:
    state = State.model_validate(
        {
            "type": "SCHEDULED",
            "timestamp": "2026-01-01T14:00:00+02:00",
            "state_details": {"scheduled_time": "2026-01-01T07:00:00-05:00"},
        }
    )

    due = state.state_details.scheduled_time
    assert due is not None
    assert state.timestamp == due == NOON
    assert state.timestamp.utcoffset() == due.utcoffset() == timedelta(0)
