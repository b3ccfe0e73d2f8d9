"""What is to happen in the demo, as data: flows for workers to run, scenes to be played by step.

Runs are known by name here, each name once in a story; what they are called on the wire is made
anew for every showing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import JsonValue

from consumer.wire.decisions import Verdict
from rules.runs import NO_POLICY, RunKind, RunPolicy
from rules.states import StateType

COMPLETED = "Completed"


class Answer(NamedTuple):
    """What is decided, and with which code."""

    verdict: Verdict
    code: str | None = None

    def __str__(self) -> str:
        return f"{self.verdict} ({self.code})" if self.code else str(self.verdict)


ACCEPT = Answer(Verdict.ACCEPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """A task that a worker runs.

    Each attempt works for so many ``seconds`` and then proposes the next of the ``endings``, the
    last one ever after. ``data`` is the result. ``ends_as`` names the state that it must end in.
    """

    name: str
    seconds: float = 0.3
    endings: tuple[StateType, ...] = (StateType.COMPLETED,)
    policy: RunPolicy = NO_POLICY
    tags: tuple[str, ...] = ()
    cache_key: str | None = None
    data: JsonValue = None
    ends_as: str = COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlan:
    """A flow that a worker runs: stage after stage, what is in one stage at the same time.

    It begins so many ``seconds`` after the flows named in ``after`` have ended, or after the start
    of the story. A flow within a flow is a subflow, for which a task run stands in its parent.
    """

    name: str
    stages: tuple[tuple["TaskPlan | FlowPlan", ...], ...]
    after: tuple[str, ...] = ()
    seconds: float = 0.0
    deployment: str | None = None
    policy: RunPolicy = NO_POLICY
    ends_as: str = COMPLETED

    def inner_name(self, name: str) -> str:
        """What a task run of this flow is called in the story."""
        return f"{self.name}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A run in a scene; ``create`` is how to make it, None for one that is never made."""

    name: str
    kind: RunKind = RunKind.TASK
    flow: str | None = None
    create: Mapping[str, JsonValue] | None
    ends_as: str | None = COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a scene and every decision that must come of it, in order.

    ``after`` are seconds of waiting before it. Steps with the same ``label`` are sent under the
    same request id. ``more`` are further keys of the request's body; ``instead`` is sent as it is.
    """

    actor: str
    proposes: StateType | None = None
    answers: tuple[Answer, ...] = (ACCEPT,)
    named: str | None = None
    message: str | None = None
    after: float = 0.0
    scheduled_in: float | None = None
    deadline_in: float | None = None
    label: str | None = None
    more: Mapping[str, JsonValue] | None = None
    instead: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Steps that follow one another, each sent when the one before has been answered."""

    name: str
    seconds: float
    actors: tuple[Actor, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that happens in one showing.

    ``limits`` are the concurrency limits that it needs; ``answers`` must be seen at least once,
    and ``repeats`` decisions be received more than once.
    """

    flows: tuple[FlowPlan, ...]
    scenes: tuple[Scene, ...]
    limits: Mapping[str, int]
    answers: frozenset[Answer]
    repeats: int

    def ends(self) -> Iterator[tuple[str, str]]:
        """Each run's name, and the name of the state in which it must end."""
        for flow in self.flows:
            yield from _ends_within(flow)
        for scene in self.scenes:
            for actor in scene.actors:
                if actor.ends_as is not None:
                    yield actor.name, actor.ends_as

    def tasks(self) -> Iterator[tuple[str, TaskPlan]]:
        """Each planned task and what its run is called."""
        for flow in self.flows:
            yield from _tasks_within(flow)


def _ends_within(flow: FlowPlan) -> Iterator[tuple[str, str]]:
    yield flow.name, flow.ends_as
    for stage in flow.stages:
        for part in stage:
            yield flow.inner_name(part.name), part.ends_as
            if isinstance(part, FlowPlan):
                yield from _ends_within(part)


def _tasks_within(flow: FlowPlan) -> Iterator[tuple[str, TaskPlan]]:
    for stage in flow.stages:
        for part in stage:
            if isinstance(part, FlowPlan):
                yield from _tasks_within(part)
            else:
                yield flow.inner_name(part.name), part
