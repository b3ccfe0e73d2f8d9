"""What is asked of a consumer, as the bodies of requests."""

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any, TypeAlias
from uuid import UUID

from rules.identifiers import uuid7
from tests.integration.world import proposal

Bodies: TypeAlias = list[dict[str, Any]]

TAGS = tuple(f"limited-{number}" for number in range(10))
STEPS = ("PENDING", "RUNNING", "COMPLETED")
_FLOWS = 10
_TASKS_EACH = 9
_HOLDERS_EACH = 10
_RESULT = {"rows": 1_234, "path": "s3://reports/2026/nightly.parquet"}


def new_runs(
    count: int,
    tags: Sequence[str] = (),
    *,
    steps: Sequence[str] = STEPS,
    make_id: Callable[[], UUID] = uuid7,
) -> Bodies:
    """So many new task runs through the steps, each with two of the tags if there are as many."""
    creates = [
        {"tags": sorted({tags[(number + next_) % len(tags)] for next_ in (0, 1)}) if tags else []}
        for number in range(count)
    ]
    return _through(steps, [(make_id(), "task", create) for create in creates])


def families() -> Bodies:
    """100 runs, one in ten a flow's and the others its tasks', through four states each."""
    flow_run_ids = [uuid7() for _ in range(_FLOWS)]
    flow_runs: list[_Run] = [
        (flow_run_id, "flow", {"name": "nightly report", "deployment_id": "nightly"})
        for flow_run_id in flow_run_ids
    ]
    task_runs: list[_Run] = [
        (uuid7(), "task", {"flow_run_id": flow_run_id, "name": "extract", "tags": ["etl"]})
        for flow_run_id in flow_run_ids
        for _ in range(_TASKS_EACH)
    ]
    return _through(("SCHEDULED", *STEPS), flow_runs + task_runs)


def holders() -> Bodies:
    """100 task runs that come to run, each with one of the limited tags."""
    tags = [tag for tag in TAGS for _ in range(_HOLDERS_EACH)]
    return _through(("PENDING", "RUNNING"), [(uuid7(), "task", {"tags": [tag]}) for tag in tags])


def in_a_row(requests: int) -> Bodies:
    """So many on one run, each to be accepted: it is paused and goes on, again and again."""
    run_id = uuid7()
    steps = islice(cycle(("RUNNING", "PAUSED")), requests)
    return [proposal(step, run_id, create={}) for step in steps]


_Run: TypeAlias = tuple[UUID, str, dict[str, Any]]


def _through(steps: Sequence[str], runs: Sequence[_Run]) -> Bodies:
    return [
        proposal(step, run_id, kind=kind, create=create, **_result(step))
        for step in steps
        for run_id, kind, create in runs
    ]


def _result(step: str) -> dict[str, Any]:
    return {"data": _RESULT} if step == "COMPLETED" else {}
