"""Bodies of requests, as producers and workers write them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rules.runs import RunKind
from rules.states import StateType


def proposal(
    kind: RunKind, run_id: UUID, state: Mapping[str, Any] | None, **more: Any
) -> dict[str, Any]:
    """A request's body; of ``more``, the keys with a value."""
    given = {key: value for key, value in more.items() if value is not None}
    return {"run": {"kind": kind, "id": run_id}, "state": state, **given}


def proposed_state(
    state_type: StateType,
    *,
    name: str | None = None,
    message: str | None = None,
    data: Any = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A proposed state, in which null stands for the default."""
    return {
        "type": state_type,
        "name": name,
        "message": message,
        "data": data,
        "state_details": details or {},
    }
