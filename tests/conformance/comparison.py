"""Whether what came of a step is what the reference made of it."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rules.states import State
from tests.conformance.backend import Outcome

_NESTED = frozenset({"state", "run", "parent_task"})
_MISSING = object()


def differences(expected: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """Each field that differs, in words.

    What the reference left unsaid may be anything, but for the code: unsaid, there is none.
    """
    return list(_compare("", {"code": None, **expected}, _observed(outcome)))


def _observed(outcome: Outcome) -> Mapping[str, Any]:
    now, parent = outcome.now, outcome.parent_task
    return {
        "status": outcome.status,
        "code": outcome.code,
        "delay_seconds": _to_nearest_ten(outcome.delay_seconds),
        "state": None if outcome.state is None else _observed_state(outcome.state, now),
        "run": _observed_run(outcome.run, now),
        "parent_task": None if parent is None else _observed_run(parent, now),
    }


def _observed_state(state: State, now: datetime) -> Mapping[str, Any]:
    details = state.state_details
    return {
        **state.model_dump(mode="json"),
        **details.model_dump(mode="json"),
        "scheduled_in": _seconds_from(now, details.scheduled_time),
        "cache_expires_in": _seconds_from(now, details.cache_expiration),
    }


def _observed_run(run: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    return {
        **run,
        "started": run["start_time"] is not None,
        "ended": run["end_time"] is not None,
        "next_scheduled_in": _seconds_from(now, _as_moment(run["next_scheduled_start_time"])),
    }


def _compare(
    within: str, expected: Mapping[str, Any], observed: Mapping[str, Any]
) -> Iterator[str]:
    for key, value in expected.items():
        found = observed.get(key, _MISSING)
        if key in _NESTED and not within and isinstance(value, dict) and isinstance(found, dict):
            yield from _compare(f"{key}.", value, found)
        elif not _are_equal(value, found):
            shown = "nothing" if found is _MISSING else repr(found)
            yield f"{within}{key}: expected {value!r}, found {shown}"


def _are_equal(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, int | float):
        return math.isclose(expected, found, abs_tol=1e-6)
    if expected == found:
        return True
    moment = _as_moment(expected)
    return moment is not None and moment == _as_moment(found)


def _as_moment(value: Any) -> datetime | None:
    """A datetime as it is or from RFC 3339, None for all else."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _seconds_from(now: datetime, moment: datetime | None) -> int | None:
    return None if moment is None else _to_nearest_ten((moment - now).total_seconds())


def _to_nearest_ten(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds / 10) * 10
