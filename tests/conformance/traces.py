"""Traces recorded from the reference, as they stand in their files: one JSON object a line."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from rules.runs import RunKind
from rules.states import State, StateDetails, StateType


class TracedRun(BaseModel):
    """A run of a trace; ``flow`` and ``parent_task`` are keys of other runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: RunKind
    flow: str | None = None
    parent_task: str | None = None
    deployed: bool = False
    tags: tuple[str, ...] = ()
    retries: int | None = None
    retry_delay: float | None = None


class Proposal(BaseModel):
    """A proposed state; what is not named here is one of the state details."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: StateType
    name: str | None = None
    timestamp: datetime | None = None
    message: str | None = None
    data: Any = None
    scheduled_in: float | None = None
    cache_expires_in: float | None = None

    def state(self, now: datetime) -> State:
        """The state as it is proposed at ``now``, from which its seconds count."""
        details = dict(self.model_extra or {})
        if self.scheduled_in is not None:
            details["scheduled_time"] = now + timedelta(seconds=self.scheduled_in)
        if self.cache_expires_in is not None:
            details["cache_expiration"] = now + timedelta(seconds=self.cache_expires_in)
        return State(
            type=self.type,
            name=self.name or "",
            timestamp=self.timestamp or now,
            message=self.message,
            data=self.data,
            state_details=StateDetails.model_validate(details),
        )


class Step(BaseModel):
    """What was proposed for which run, and what came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    propose: Proposal
    force: bool = False
    expect: Mapping[str, Any]


class Trace(BaseModel):
    """A small world of its own, and what was proposed in it, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    limits: Mapping[str, int]
    runs: tuple[TracedRun, ...]
    steps: tuple[Step, ...]


def apart(trace: Trace) -> Trace:
    """The same trace with tags of its own, so that traces in one storage share no slots."""
    mark = secrets.token_hex(6)
    runs = tuple(
        run.model_copy(update={"tags": tuple(f"{mark}-{tag}" for tag in run.tags)})
        for run in trace.runs
    )
    limits = {f"{mark}-{tag}": limit for tag, limit in trace.limits.items()}
    return trace.model_copy(update={"runs": runs, "limits": limits})


def read_traces(path: Path) -> Iterator[Trace]:
    """The traces of a file, empty lines left out.

    Raises:
        OSError: the file can't be read.
        pydantic.ValidationError: a line is no trace of this form.
    """
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield Trace.model_validate_json(line)
